// The text of `--help`; loaded only when asked for.

import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { formatOptionHelp, type OptionTable } from './options.js';

export interface ProgramDescription<T extends OptionTable> {
  readonly name: string;
  /** What follows the name in the synopsis, e.g. `[options] address port runfile`. */
  readonly synopsis: string;
  /** One sentence for `--help`. */
  readonly purpose: string;
  readonly options: T;
  /** Smallest and largest number of positional arguments. */
  readonly positionals: readonly [min: number, max: number];
  /** The first argument is a file that the program makes where there is none. */
  readonly makesFirst?: true;
}

export function formatHelp(description: ProgramDescription<OptionTable>): string {
  const { name, synopsis, purpose, options } = description;
  return (
    `usage: ${name} ${synopsis}\n\n${purpose}\n\n` +
    formatOptionHelp(options) +
    `  --help, /HELP, /?, --version\n\n` +
    `Every --name VALUE may be written /NAME VALUE or /NAME:VALUE, every flag /NAME+ or /NAME-.\n` +
    `Exit status: 0 done, 1 a negative answer, 100 usage or configuration, 111 try again.\n` +
    formatManual(name)
  );
}

/** npm 12 installs no manual pages, and a checkout never did: they lie beside the programs. */
function formatManual(name: string): string {
  const folder = fileURLToPath(new URL('../../../../doc/', import.meta.url));
  try {
    const page = readdirSync(folder).find((file) => /^(.*)\.[1-8]$/.exec(file)?.[1] === name);
    return page === undefined ? '' : `Manual: man ${folder}${page}\n`;
  } catch {
    return `Manual: man ${name}\n`; // Debian's package has them where man(1) looks.
  }
}
