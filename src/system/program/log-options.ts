// The options of every program that logs; apart from the log, so that a program can read them
// before it loads one.

import type { LogOptions } from '../log/log.js';
import type { OptionTable } from './options.js';

/** The options of every program that logs. */
export const logOptionTable = {
  log: {
    kind: 'text',
    value: 'WHERE',
    choices: ['stderr', 'syslog'],
    help: 'stderr (default) or syslog; syslog anyway when stderr is the connection',
  },
  'log-format': {
    kind: 'text',
    value: 'FORMAT',
    choices: ['logfmt', 'json'],
    help: 'logfmt (default) or json',
  },
  'log-time': { kind: 'flag', env: 'LOG_TIME', help: 'begin each line with the time, in UTC' },
} as const satisfies OptionTable;

/** Turns the values of `logOptionTable` into LogOptions. */
export function logOptionsFrom(
  program: string,
  values: {
    readonly log: string | undefined;
    readonly 'log-format': string | undefined;
    readonly 'log-time': boolean | undefined;
  },
  connectionFds: readonly number[] = [],
): LogOptions {
  return {
    program,
    destination: values.log === 'syslog' ? 'syslog' : 'stderr',
    format: values['log-format'] === 'json' ? 'json' : 'logfmt',
    timed: values['log-time'] ?? false,
    connectionFds,
  };
}
