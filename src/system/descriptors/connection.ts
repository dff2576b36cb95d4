// The connection that a program was started with, as one duplex stream: a socket at descriptor 0 or
// at a number that was passed, or a pair of pipes, files or terminals at 0 and 1.

import { createReadStream, createWriteStream, fstatSync, type Stats } from 'node:fs';
import { Socket } from 'node:net';
import { Duplex, type Readable, type Writable } from 'node:stream';
import { ReadStream as TerminalInput, WriteStream as TerminalOutput, isatty } from 'node:tty';
import { isSameFile } from './same-file.js';
import { ConfigurationError } from '../failures/failures.js';

/** A duplex stream that emits 'timeout' when no octet was moved for so long; 0 stops the watch. */
export type Connection = Duplex & { setTimeout(timeoutMs: number): unknown };

/**
 * Takes over descriptors 0 and 1.
 *
 * @throws ConfigurationError when one of them is closed or of no use
 */
export function openStandardConnection(): Connection {
  const input = statDescriptor(0);
  const output = statDescriptor(1);
  if (input.isSocket() && isSameFile(0, 1)) return openSocket(0);
  return new PairedConnection(openInput(0, input), openOutput(1, output));
}

/**
 * Takes over a socket at a descriptor number, and closes it in the end.
 *
 * @throws ConfigurationError when it is not open or no stream socket
 */
export function openPassedSocket(fd: number): Connection {
  if (!statDescriptor(fd).isSocket()) throw new ConfigurationError(`descriptor ${fd} is no socket`);
  return openSocket(fd);
}

function statDescriptor(fd: number): Stats {
  try {
    return fstatSync(fd);
  } catch {
    throw new ConfigurationError(`descriptor ${fd} is not open`);
  }
}

function openSocket(fd: number): Socket {
  try {
    // Half-open: a client may send all its commands, shut down its side, and read the replies.
    return new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
  } catch (error) {
    throw new ConfigurationError(
      `descriptor ${fd} is no stream socket: ${(error as Error).message}`,
    );
  }
}

function openInput(fd: number, stats: Stats): Readable {
  if (stats.isSocket() || stats.isFIFO())
    return new Socket({ fd, readable: true, writable: false });
  if (isatty(fd)) return new TerminalInput(fd);
  return createReadStream('', { fd, autoClose: false });
}

function openOutput(fd: number, stats: Stats): Writable {
  if (stats.isSocket() || stats.isFIFO())
    return new Socket({ fd, readable: false, writable: true });
  if (isatty(fd)) return new TerminalOutput(fd);
  return createWriteStream('', { fd, autoClose: false });
}

/** Two streams as one; each side keeps its own backpressure. */
class PairedConnection extends Duplex {
  readonly #input: Readable;
  readonly #output: Writable;

  constructor(input: Readable, output: Writable) {
    super({ allowHalfOpen: true, emitClose: true });
    this.#input = input;
    this.#output = output;
    input.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) input.pause();
    });
    input.on('end', () => this.push(null));
    input.on('error', (error: NodeJS.ErrnoException) => {
      // A terminal that was hung up says EIO: it is the end of input.
      if (error.code === 'EIO') this.push(null);
      else this.destroy(error);
    });
    output.on('error', (error) => this.destroy(error));
    output.on('timeout', () => this.emit('timeout'));
    input.pause();
  }

  setTimeout(timeoutMs: number): void {
    if (this.#output instanceof Socket) this.#output.setTimeout(timeoutMs);
  }

  override _read(): void {
    this.#input.resume();
  }

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    this.#output.write(chunk, callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#output.end(() => callback());
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#input.destroy();
    this.#output.destroy();
    callback(error);
  }
}
