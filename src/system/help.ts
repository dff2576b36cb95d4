// The text of `--help`; loaded only when asked for.

import { formatOptionHelp, type OptionTable } from './options.js';
import type { ProgramDescription } from './program.js';

export function formatHelp(description: ProgramDescription<OptionTable>): string {
  const { name, synopsis, purpose, options } = description;
  return (
    `usage: ${name} ${synopsis}\n\n${purpose}\n\n` +
    formatOptionHelp(options) +
    `  --help, /?, --version\n\n` +
    `Every --name VALUE may be written /NAME VALUE or /NAME:VALUE, every flag /NAME+ or /NAME-.\n` +
    `Exit status: 0 done, 1 a negative answer, 100 usage or configuration, 111 try again.\n`
  );
}
