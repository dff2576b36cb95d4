// pop3get's own files in a Maildir. Whoever else writes there may have put a link, a FIFO or a directory in their place:
// none is followed, waited for or written to.

import { closeSync, constants, fstatSync, openSync, type Stats } from 'node:fs';
import { fileFailure } from '../../system/failures/file-failure.js';
import { reasonOf } from '../settings/failures.js';
import { ConfigurationError } from '../../system/failures/failures.js';

export interface OwnFile {
  readonly fd: number;
  /** Octets. */
  readonly size: number;
}

/**
 * Opens a file that is there.
 *
 * @param access O_RDONLY or O_RDWR
 * @returns null when there is none
 * @throws ConfigurationError naming the file when it is no regular file or may not be opened, else TemporaryError
 */
export function tryOpenOwnFile(path: string, access: number): OwnFile | null {
  let fd;
  try {
    fd = openSync(path, access | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    if (code === 'ELOOP') throw notRegular(path, 'a symbolic link');
    throw fileFailure(error, `cannot open ${path}: ${reasonOf(error)}`);
  }
  try {
    const stats = fstatSync(fd);
    checkRegular(path, stats);
    return { fd, size: stats.size };
  } catch (error) {
    closeSync(fd);
    throw fileFailure(error, `cannot open ${path}: ${reasonOf(error)}`);
  }
}

/** @param stats what lstat or fstat said of it. @throws ConfigurationError naming the file when it is no regular file */
export function checkRegular(path: string, stats: Stats): void {
  if (stats.isFile()) return;
  if (stats.isSymbolicLink()) throw notRegular(path, 'a symbolic link');
  throw notRegular(path, stats.isDirectory() ? 'a directory' : 'a FIFO, socket or device');
}

function notRegular(path: string, what: string): ConfigurationError {
  return new ConfigurationError(`${path} is ${what}, not a file of pop3get's: remove it`);
}
