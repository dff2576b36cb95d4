// Reads small configuration files that somebody may have replaced by something else.

import { FileTooLarge, NotRegularFile, tryReadRegularFile } from './open-regular-file.js';

/**
 * Why a file cannot be used; the message does not name the file, which whoever catches it knows.
 */
export class TextFileError extends Error {
  /** The system's code, such as ENOENT; undefined when the file could be read but is not fit. */
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Reads a text file whole. Follows links; a FIFO or a device cannot make it wait.
 *
 * @returns the text, without a byte order mark
 * @throws TextFileError when it cannot be opened or read, is no regular file, has over `maxBytes`,
 *   is not UTF-8 or holds a NUL
 */
export function readTextFile(path: string, maxBytes: number): string {
  return decode(read(path, maxBytes));
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'permission denied',
  ELOOP: 'a loop of symbolic links',
};

function read(path: string, maxBytes: number): Buffer {
  let bytes;
  try {
    bytes = tryReadRegularFile(path, { maxBytes, followsLinks: true });
  } catch (error) {
    if (error instanceof FileTooLarge) throw new TextFileError(error.message);
    if (error instanceof NotRegularFile) throw new TextFileError('is not a regular file');
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw new TextFileError(`cannot be read: ${reasons[code] ?? code}`, code);
  }
  if (bytes === null) throw new TextFileError('cannot be read: no such file', 'ENOENT');
  return bytes;
}

function decode(bytes: Buffer): string {
  if (bytes.includes(0)) throw new TextFileError('has a NUL byte in it');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new TextFileError('is not UTF-8 text');
  }
}
