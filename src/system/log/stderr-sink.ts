// Lines to stderr, which may be a pipe, a terminal, a socket, a file or closed. A reader that
// stops, fills up or goes away costs lines; nothing here blocks for long, throws or ends the
// program.

import { constants, fstatSync, openSync, writeSync } from 'node:fs';

export interface LineSink {
  /** Takes one line with its line feed. */
  write(line: string): void;
  /**
   * Resolves when the lines written so far are out, or after `timeoutMs`, when the rest is given
   * up.
   */
  flush(timeoutMs: number): Promise<void>;
}

/** The line that says how many lines were dropped. */
export type FormatDropped = (lines: number) => string;

/** Opens descriptor 2 for lines. Never fails: where nothing can be written, lines are lost. */
export async function openStderr(formatDropped: FormatDropped): Promise<LineSink> {
  let stats;
  try {
    stats = fstatSync(2);
  } catch {
    return { write: () => undefined, flush: () => Promise.resolve() };
  }
  const onDescriptor2 = new DescriptorSink(2, formatDropped);
  // A file never blocks, and keeps its descriptor because of its offset.
  if (!stats.isFIFO() && !stats.isCharacterDevice() && !stats.isSocket()) return onDescriptor2;
  try {
    // Opened anew for an O_NONBLOCK of our own: the flag on descriptor 2 is shared with every
    // process that inherited it.
    const fd = openSync(
      '/proc/self/fd/2',
      constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY,
    );
    return new DescriptorSink(fd, formatDropped);
  } catch {
    // A socket, as systemd's journal gives it, cannot be opened, nor can a pipe that another user
    // made, such as root's supervisor. There the shared flag is changed: a reader that stops must
    // not stop us.
    await tryMakeNonBlocking();
    return onDescriptor2;
  }
}

/**
 * Sets O_NONBLOCK on descriptor 2, which Node does only as a part of opening a stream. Datagram
 * sockets stay as they are.
 */
async function tryMakeNonBlocking(): Promise<void> {
  const { Socket } = await import('node:net');
  try {
    new Socket({ fd: 2, readable: false, writable: true }).unref();
  } catch {
    // Neither a pipe nor a stream socket.
  }
}

const maxHeldLines = 1000;
const retryMs = 50;

/**
 * Writes lines at once; while a reader is slow it holds up to `maxHeldLines` of them and counts
 * what it drops.
 */
class DescriptorSink implements LineSink {
  readonly #fd: number;
  readonly #formatDropped: FormatDropped;
  #held: Buffer[] = [];
  #dropped = 0;
  #retry: NodeJS.Timeout | undefined;

  constructor(fd: number, formatDropped: FormatDropped) {
    this.#fd = fd;
    this.#formatDropped = formatDropped;
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
      for (let line = this.#next(); line !== undefined; line = this.#next()) {
        const written = writeSync(this.#fd, line);
        if (written < line.length) this.#held[0] = line.subarray(written);
        else this.#held.shift();
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') this.#retryLater();
      else this.#held = []; // No reader, no space, no descriptor: the lines are lost, the session is not.
    }
  }

  /** The line to write now; after the last one, what was dropped meanwhile. */
  #next(): Buffer | undefined {
    if (this.#held.length === 0 && this.#dropped > 0) {
      this.#held.push(Buffer.from(this.#formatDropped(this.#dropped)));
      this.#dropped = 0;
    }
    return this.#held[0];
  }

  #retryLater(): void {
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.#writeHeld();
    }, retryMs).unref();
  }
}
