// Reads small configuration files that somebody may have replaced by something else.

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** Why a file cannot be used; the message does not name the file, which whoever catches it knows. */
export class TextFileError extends Error {
  /** The system's code, such as ENOENT; undefined when the file could be read but is not fit. */
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

export interface TextFile {
  readonly text: string;
  /** Device, inode, size and times of the file that was opened: what tells one version from the next. */
  readonly signature: string;
  /** When it was last edited, replaced or given other rights; milliseconds since 1970. */
  readonly changedMs: number;
}

/**
 * Reads a text file whole. Opens it so that a FIFO or a device cannot make it wait.
 *
 * @returns the text, without a byte order mark
 * @throws TextFileError when it cannot be opened or read, is no regular file, has over `maxBytes`, is not UTF-8 or holds a NUL
 */
export function readTextFile(path: string, maxBytes: number): TextFile {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const stats = fstatSync(fd, { bigint: true });
    if (!stats.isFile()) throw new TextFileError('is not a regular file');
    if (Number(stats.size) > maxBytes) throw tooLarge(maxBytes);
    const bytes = readAll(fd, Number(stats.size), maxBytes);
    return {
      text: decode(bytes),
      signature: signatureOf(stats),
      changedMs: Number(stats.ctimeMs),
    };
  } catch (error) {
    if (error instanceof TextFileError) throw error;
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw new TextFileError(`cannot be read: ${reasons[code] ?? code}`, code);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** The part of a stat(2) result that changes when the file is edited or replaced. */
export function signatureOf(stats: {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}): string {
  return [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(':');
}

function tooLarge(maxBytes: number): TextFileError {
  return new TextFileError(`has more than ${maxBytes} bytes`);
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'permission denied',
  ELOOP: 'a loop of symbolic links',
};

/** @param expected the size by stat(2); the file may have changed since */
function readAll(fd: number, expected: number, maxBytes: number): Buffer {
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    // One byte more than expected finds out whether that is all, in a single read.
    const chunk = Buffer.allocUnsafe(total < expected ? Math.min(expected, maxBytes) + 1 : 4096);
    const count = readSync(fd, chunk, 0, chunk.length, null);
    total += count;
    if (total > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk.subarray(0, count));
    if (count < chunk.length)
      return chunks.length === 1 ? chunk.subarray(0, count) : Buffer.concat(chunks);
  }
}

function decode(bytes: Buffer): string {
  if (bytes.includes(0)) throw new TextFileError('has a NUL byte in it');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new TextFileError('is not UTF-8 text');
  }
}
