// Opens and reads files at places where somebody else may have put a link, a FIFO, a device or a
// directory: none is waited for or written to, and a link is followed only where the caller says
// so.

import { closeSync, constants, fstatSync, openSync, readSync, type BigIntStats } from 'node:fs';

/** What is in the place of a file. */
export type NotAFile = 'a symbolic link' | 'a directory' | 'a FIFO, socket or device';

/**
 * Something is there that is no regular file. The message does not name the place, which whoever
 * catches it knows.
 */
export class NotRegularFile extends Error {
  override readonly name = 'NotRegularFile';
  readonly what: NotAFile;

  constructor(what: NotAFile) {
    super(`is ${what}, not a regular file`);
    this.what = what;
  }
}

/** A file has more bytes than its reader takes. The message does not name it. */
export class FileTooLarge extends Error {
  override readonly name = 'FileTooLarge';

  constructor(maxBytes: number) {
    super(`has more than ${maxBytes} bytes`);
  }
}

export interface OpenOptions {
  /** O_RDONLY (when not given), O_WRONLY or O_RDWR, with O_APPEND or O_NOATIME where wanted. */
  readonly flags?: number;
  /** Whether a link at the path's end is followed; not when not given. */
  readonly followsLinks?: boolean;
}

export interface OpenedFile {
  /** The caller closes it. */
  readonly fd: number;
  readonly stats: BigIntStats;
}

/**
 * Opens a regular file that exists.
 *
 * @returns null when there is none
 * @throws NotRegularFile for anything else in its place; the system's other errors
 */
export function tryOpenRegularFile(
  path: string | Buffer,
  { flags = constants.O_RDONLY, followsLinks = false }: OpenOptions = {},
): OpenedFile | null {
  const noFollow = followsLinks ? 0 : constants.O_NOFOLLOW;
  let fd;
  try {
    fd = openSync(path, flags | noFollow | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    if (code === 'ELOOP' && !followsLinks) throw new NotRegularFile('a symbolic link');
    if (code === 'EISDIR') throw new NotRegularFile('a directory');
    // A socket, or a FIFO that nobody reads.
    if (code === 'ENXIO') throw new NotRegularFile('a FIFO, socket or device');
    throw error;
  }
  try {
    const stats = fstatSync(fd, { bigint: true });
    requireRegularFile(stats);
    return { fd, stats };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** @throws NotRegularFile unless stat(2) or lstat(2) found a regular file */
export function requireRegularFile(stats: {
  isFile(): boolean;
  isSymbolicLink(): boolean;
  isDirectory(): boolean;
}): void {
  if (stats.isFile()) return;
  if (stats.isSymbolicLink()) throw new NotRegularFile('a symbolic link');
  throw new NotRegularFile(stats.isDirectory() ? 'a directory' : 'a FIFO, socket or device');
}

/**
 * Reads a regular file whole.
 *
 * @param options `maxBytes` is the largest size that is read
 * @returns null when there is none
 * @throws FileTooLarge; NotRegularFile; the system's other errors
 */
export function tryReadRegularFile(
  path: string | Buffer,
  options: { readonly maxBytes: number; readonly followsLinks?: boolean },
): Buffer | null {
  const opened = tryOpenRegularFile(path, options);
  if (opened === null) return null;
  const { fd, stats } = opened;
  try {
    return readWhole(fd, Number(stats.size), options.maxBytes);
  } finally {
    closeSync(fd);
  }
}

/** @param expected the size by stat(2); the file may have changed since, and in /proc it is 0 */
function readWhole(fd: number, expected: number, maxBytes: number): Buffer {
  if (expected > maxBytes) throw new FileTooLarge(maxBytes);
  // One byte more than expected finds out whether that is all, in a single read.
  let bytes = Buffer.allocUnsafe(expected + 1);
  for (let length = 0; ;) {
    const count = readSync(fd, bytes, length, bytes.length - length, null);
    length += count;
    if (length > maxBytes) throw new FileTooLarge(maxBytes);
    if (count === 0) return bytes.subarray(0, length);
    if (length === bytes.length) bytes = Buffer.concat([bytes], length * 2 + 4096);
  }
}
