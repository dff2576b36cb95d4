// One line per event, to stderr or syslog, in logfmt or JSON. A log whose reader stops, fills up or
// goes away costs lines, never a session: nothing here blocks, throws or ends the program.

import { closeSync, fstatSync, openSync } from 'node:fs';
import { ConfigurationError } from './program.js';
import { formatJsonLine, formatLogfmtLine, type LogFields } from './log-line.js';
import type { OptionTable } from './options.js';
import { openStderr, type LineSink } from './stderr-sink.js';

export interface Log {
  /** Writes one line. Undefined fields are left out. A password must never be a field. */
  write(event: string, fields?: LogFields): void;
  /** Resolves when the lines written so far are out, or after `timeoutMs`. */
  flush(timeoutMs: number): Promise<void>;
}

export interface LogOptions {
  /** The name that starts each line. */
  readonly program: string;
  readonly format: 'logfmt' | 'json';
  readonly destination: 'stderr' | 'syslog';
  /** Open descriptors that are the peer's connection; stderr being the same file sends the lines to syslog. */
  readonly connectionFds?: readonly number[];
}

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
} as const satisfies OptionTable;

/** Opens the log. Once it goes to syslog, descriptor 2 is /dev/null, so that the runtime cannot print to the peer. */
export async function openLog(options: LogOptions): Promise<Log> {
  const isShared = (options.connectionFds ?? []).some((fd) => isSameFile(fd, 2));
  const format = options.format === 'json' ? formatJsonLine : formatLogfmtLine;
  const sink =
    options.destination === 'syslog' || isShared
      ? await openSyslog(options.program)
      : await openStderr((lines) => format(options.program, 'log-dropped', { lines }));
  return {
    write: (event, fields = {}) => {
      sink.write(format(options.program, event, fields));
    },
    flush: (timeoutMs) => sink.flush(timeoutMs),
  };
}

/** Whether two descriptors are the same file, pipe or socket. A closed descriptor is the same as nothing. */
export function isSameFile(one: number, other: number): boolean {
  try {
    const a = fstatSync(one, { bigint: true });
    const b = fstatSync(other, { bigint: true });
    return a.dev === b.dev && a.ino === b.ino && !isTerminalOrNull(a);
  } catch {
    return false;
  }
}

/** A terminal or /dev/null on both is how people run a program by hand; nothing reaches a peer there. */
function isTerminalOrNull(stats: { isCharacterDevice(): boolean }): boolean {
  return stats.isCharacterDevice();
}

/** Puts /dev/null in the place of descriptor 2. */
export function silenceStderr(): void {
  try {
    closeSync(2);
  } catch {
    // It was closed already.
  }
  // open(2) returns the lowest free descriptor, which is 2 now.
  openSync('/dev/null', 'w');
}

async function openSyslog(program: string): Promise<LineSink> {
  const { spawnLogger } = await import('./syslog.js');
  silenceStderr();
  return spawnLogger(program);
}

/** Turns the values of `logOptionTable` into LogOptions. */
export function logOptionsFrom(
  program: string,
  values: { readonly log: string | undefined; readonly 'log-format': string | undefined },
  connectionFds: readonly number[] = [],
): LogOptions {
  const destination = values.log ?? 'stderr';
  if (destination !== 'stderr' && destination !== 'syslog') {
    throw new ConfigurationError(`no such log destination: ${destination}`);
  }
  return {
    program,
    destination,
    format: values['log-format'] === 'json' ? 'json' : 'logfmt',
    connectionFds,
  };
}
