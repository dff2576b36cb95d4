// A program that does nothing but end in the way its argument names, for tests of what all programs share.

import { exitCode } from '../../../src/system/failures/exit-code.js';
import { printText, runProgram } from '../../../src/system/program/program.js';
import { ConfigurationError, TemporaryError } from '../../../src/system/failures/failures.js';

void runProgram(
  {
    name: 'minimal',
    synopsis: '[options] ending [more]',
    purpose: 'Ends as told.',
    options: { level: { kind: 'number', value: 'N', min: 0, max: 9, help: 'a number' } },
    positionals: [1, 2],
  },
  ({ positionals: [ending = '', more = ''] }) => {
    switch (ending) {
      case 'ok':
        printText('minimal', 'done\n');
        return exitCode.ok;
      case 'no':
        return exitCode.no;
      case 'configuration':
        throw new ConfigurationError(`rules:3: no such thing${more}`);
      case 'temporary':
        throw new TemporaryError('the database is locked');
      case 'fault':
        throw new TypeError('a fault');
      case 'forgotten':
        return new Promise(() => undefined);
      case 'shortage':
        throw new ConfigurationError('rules: cannot be read: EMFILE');
      default:
        process.exitCode = 7;
        return undefined;
    }
  },
);
