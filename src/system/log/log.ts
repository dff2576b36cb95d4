// One line per event, to stderr or syslog, in logfmt or JSON. A log whose reader stops, fills up or
// goes away costs lines, never a session: nothing here blocks, throws or ends the program.

import { formatJsonLine, formatLogfmtLine, type LogFields } from './log-line.js';
import { gatherLines } from './gathering-sink.js';
import { isSameFile } from '../descriptors/same-file.js';
import { silenceStderr } from '../descriptors/silenced-stderr.js';
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
  /** Whether each line has its time; to syslog, which has its own, none has. */
  readonly timed?: boolean;
  /**
   * Open descriptors that are the peer's connection; stderr being the same file sends the lines to
   * syslog.
   */
  readonly connectionFds?: readonly number[];
  /** Writes the lines of a few milliseconds together, for processes that serve many sessions. */
  readonly gathersLines?: boolean;
}

/**
 * Opens the log. Once it goes to syslog, descriptor 2 is /dev/null, so that the runtime cannot
 * print to the peer.
 */
export async function openLog(options: LogOptions): Promise<Log> {
  const isShared = (options.connectionFds ?? []).some((fd) => isSameFile(fd, 2));
  const isSyslog = options.destination === 'syslog' || isShared;
  const plain = options.format === 'json' ? formatJsonLine : formatLogfmtLine;
  const format = options.timed === true && !isSyslog ? timed[options.format] : plain;
  const opened = isSyslog
    ? await openSyslog(options.program)
    : await openStderr((lines) => format(options.program, 'log-dropped', { lines }));
  const sink = options.gathersLines === true ? gatherLines(opened) : opened;
  return {
    write: (event, fields = {}) => {
      sink.write(format(options.program, event, fields));
    },
    flush: (timeoutMs) => sink.flush(timeoutMs),
  };
}

/** What reads logs by their first members, such as fail2ban, finds them where they were. */
const timed = {
  logfmt: (...line: Parameters<typeof formatLogfmtLine>): string =>
    `${new Date().toISOString()} ${formatLogfmtLine(...line)}`,
  json: (program: string, event: string, fields: LogFields): string =>
    formatJsonLine(program, event, { ...fields, time: new Date().toISOString() }),
};

async function openSyslog(program: string): Promise<LineSink> {
  const { spawnLogger } = await import('./syslog.js');
  silenceStderr();
  return spawnLogger(program);
}
