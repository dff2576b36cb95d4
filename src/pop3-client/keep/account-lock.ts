// One pop3get per account and Maildir at a time. The lock is SQLite's on an empty file: the kernel lets go of it when its
// holder dies, however it dies, so it cannot be stale, and it holds across containers that share the directory.

import { accessSync, closeSync, constants, lstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileFailure } from '../../system/failures/file-failure.js';
import { reasonOf } from '../settings/failures.js';
import { accountTag } from './message-key.js';
import { checkRegular } from './own-file.js';
import { ConfigurationError, TemporaryError } from '../../system/failures/failures.js';

export interface AccountLock {
  release(): void;
}

/**
 * @throws TemporaryError when another process has the lock; ConfigurationError when something else is in the place of the
 *   file, or rights are missing
 */
export async function lockAccount(maildir: string, account: string): Promise<AccountLock> {
  const { default: Database } = await import('better-sqlite3');
  const path = join(maildir, `pop3get.${accountTag(account)}.lock`);
  prepareLockFile(path);
  try {
    const database = new Database(path, { timeout: 0, fileMustExist: true });
    // Nothing is ever written, so there is nothing to roll back and no file for it.
    database.pragma('journal_mode = MEMORY');
    database.exec('BEGIN EXCLUSIVE');
    return { release: () => database.close() };
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    if (code?.startsWith('SQLITE_BUSY') === true) {
      throw new TemporaryError(`another pop3get is at work on this account (${path} is locked)`);
    }
    throw new TemporaryError(`cannot lock ${path}: ${message}`);
  }
}

/**
 * SQLite would follow a link and make what it points to, and believe a database that somebody put there. A file that exists is
 * not opened for the check: closing it would let go of a lock that this process holds.
 */
function prepareLockFile(path: string): void {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) {
      closeSync(openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600));
      return;
    }
    checkRegular(path, stats);
    if (stats.size > 0) {
      throw new ConfigurationError(
        `${path} is not empty, so it is no lock of pop3get's: remove it`,
      );
    }
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    // Another one came first: whatever it made is looked at by SQLite, which makes nothing.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw fileFailure(error, `cannot lock ${path}: ${reasonOf(error)}`);
  }
}
