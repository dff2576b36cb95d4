// One line per event, to stderr or syslog, in logfmt or JSON. A log whose reader stops, fills up or
// goes away costs lines, never a session: nothing here blocks, throws or ends the program.

import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { formatJsonLine, formatLogfmtLine, type LogFields } from './log-line.js';
import { isSameFile } from './same-file.js';

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

interface LineSink {
  write(line: string): void;
  flush(timeoutMs: number): Promise<void>;
}

/** Opens the log. Once it goes to syslog, descriptor 2 is /dev/null, so that the runtime cannot print to the peer. */
export async function openLog(options: LogOptions): Promise<Log> {
  const isShared = (options.connectionFds ?? []).some((fd) => isSameFile(fd, 2));
  const format = options.format === 'json' ? formatJsonLine : formatLogfmtLine;
  const sink =
    options.destination === 'syslog' || isShared
      ? await openSyslog(options.program)
      : await openStderr();
  return {
    write: (event, fields = {}) => {
      sink.write(format(options.program, event, fields));
    },
    flush: (timeoutMs) => sink.flush(timeoutMs),
  };
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

async function openStderr(): Promise<LineSink> {
  let stats;
  try {
    stats = fstatSync(2);
  } catch {
    return { write: () => undefined, flush: () => Promise.resolve() };
  }
  if (stats.isSocket()) {
    const { openSocketSink } = await import('./log-socket.js');
    return openSocketSink(2);
  }
  // A pipe or terminal is opened anew for an O_NONBLOCK of our own: the flag on descriptor 2 is shared with
  // every process that inherited it. A file keeps its descriptor, because of its offset, and never blocks.
  if (!stats.isFIFO() && !stats.isCharacterDevice()) return new DescriptorSink(2);
  try {
    return new DescriptorSink(
      openSync('/proc/self/fd/2', constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY),
    );
  } catch {
    return new DescriptorSink(2);
  }
}

const maxHeldLines = 1000;
const retryMs = 50;

/** Writes lines at once; while a reader is slow it holds up to `maxHeldLines` of them and counts what it drops. */
class DescriptorSink implements LineSink {
  readonly #fd: number;
  #held: Buffer[] = [];
  #dropped = 0;
  #retry: NodeJS.Timeout | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(line: string): void {
    if (this.#held.length >= maxHeldLines) this.#dropped += 1;
    else this.#held.push(Buffer.from(line));
    this.#writeHeld();
  }

  async flush(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (this.#held.length > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(retryMs, timeoutMs)));
      this.#writeHeld();
    }
  }

  #writeHeld(): void {
    try {
      for (let line = this.#held[0]; line !== undefined; line = this.#held[0]) {
        const written = writeSync(this.#fd, line);
        if (written < line.length) this.#held[0] = line.subarray(written);
        else this.#held.shift();
      }
      if (this.#dropped > 0) {
        const dropped = this.#dropped;
        this.#dropped = 0;
        this.#held.push(Buffer.from(`log: dropped lines=${dropped}\n`));
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') this.#retryLater();
      else this.#held = []; // No reader, no space, no descriptor: the lines are lost, the session is not.
    }
  }

  #retryLater(): void {
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.#writeHeld();
    }, retryMs).unref();
  }
}
