// The text of `--help`; loaded only when asked for.

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
}

export function formatHelp(description: ProgramDescription<OptionTable>): string {
  const { name, synopsis, purpose, options } = description;
  return (
    `usage: ${name} ${synopsis}\n\n${purpose}\n\n` +
    formatOptionHelp(options) +
    `  --help, /HELP, /?, --version\n\n` +
    `Every --name VALUE may be written /NAME VALUE or /NAME:VALUE, every flag /NAME+ or /NAME-.\n` +
    `Exit status: 0 done, 1 a negative answer, 100 usage or configuration, 111 try again.\n`
  );
}
