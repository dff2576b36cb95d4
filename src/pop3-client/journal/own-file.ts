// pop3get's own files in a Maildir. Whoever else writes there may have put something else in their
// place.

import { fileFailure } from '../../system/failures/file-failure.js';
import { ConfigurationError } from '../../system/failures/failures.js';
import { NotRegularFile, tryOpenRegularFile } from '../../system/files/open-regular-file.js';
import { reasonOf } from '../settings/failures.js';

export interface OwnFile {
  readonly fd: number;
  /** Octets. */
  readonly size: number;
}

/**
 * Opens a file that is there.
 *
 * @param flags O_RDONLY or O_RDWR
 * @returns null when there is none
 * @throws ConfigurationError naming the file when it is no regular file or may not be opened, else
 *   TemporaryError
 */
export function tryOpenOwnFile(path: string, flags: number): OwnFile | null {
  try {
    const opened = tryOpenRegularFile(path, { flags });
    return opened === null ? null : { fd: opened.fd, size: Number(opened.stats.size) };
  } catch (error) {
    if (error instanceof NotRegularFile) {
      throw new ConfigurationError(`${path} is ${error.what}, not a file of pop3get's: remove it`);
    }
    throw fileFailure(error, `cannot open ${path}: ${reasonOf(error)}`);
  }
}
