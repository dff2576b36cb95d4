// A lock between processes that the kernel releases when its holder dies, however it dies, so that
// it cannot be stale. It is SQLite's lock on an empty file, which also holds between containers
// that share the folder. The file stays.

import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  lstatSync,
  openSync,
} from 'node:fs';
import type { Stats } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileFailure } from '../failures/file-failure.js';
import { ConfigurationError, TemporaryError } from '../failures/failures.js';
import { openSqlite, requireSqlite } from '../sqlite/open-sqlite.js';
import { SqliteError } from '../sqlite/sqlite.js';
import { NotRegularFile, requireRegularFile } from './open-regular-file.js';
import { systemWords } from '../failures/system-words.js';

export interface FileLock {
  release(): void;
}

export interface LockOptions {
  /** How long to wait for another holder, in milliseconds; 0 when not given. */
  readonly patienceMs?: number;
  /**
   * Whose rights and owner the lock's file gets when it is made, so that whoever may edit the one
   * may lock the other.
   */
  readonly like?: Stats | undefined;
}

const retryMs = 20;

/**
 * Takes a lock.
 *
 * @param path of the lock's file, which is made where it is missing
 * @throws TemporaryError when another process, or another lock of this one, holds it for longer
 *   than `patienceMs`; ConfigurationError when something else is in the place of the file, or
 *   rights are missing. Both name the file.
 */
export async function lockFile(path: string, options: LockOptions = {}): Promise<FileLock> {
  const { patienceMs = 0, like } = options;
  const deadline = performance.now() + patienceMs;
  requireSqlite();
  prepareLockFile(path, like);
  for (;;) {
    let database;
    try {
      database = openSqlite(path, { access: 'write', busyTimeoutMs: 0 });
      // Nothing is ever written, so there is nothing to roll back and no file for it.
      database.exec('PRAGMA journal_mode = MEMORY');
      database.exec('BEGIN EXCLUSIVE');
      const held = database;
      return { release: () => held.close() };
    } catch (error) {
      database?.close();
      if (!(error instanceof SqliteError) || !error.code.startsWith('SQLITE_BUSY')) {
        throw new TemporaryError(`cannot lock ${path}: ${(error as Error).message}`);
      }
    }
    if (performance.now() >= deadline) throw new TemporaryError(`${path} is locked`);
    await delay(retryMs * (0.5 + Math.random()));
  }
}

/**
 * SQLite would follow a link and make what it points to, and believe a database that somebody put
 * there. A file that exists is not opened for the check: closing it would let go of a lock that
 * this process holds.
 */
function prepareLockFile(path: string, like: Stats | undefined): void {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) {
      makeLockFile(path, like);
      return;
    }
    requireRegularFile(stats);
    if (stats.size > 0) {
      throw new ConfigurationError(`${path} is not empty, so it is no lock: remove it`);
    }
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    // Another process made the file first; SQLite opens that one.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    if (error instanceof NotRegularFile) {
      throw new ConfigurationError(
        `${path} is ${error.what}, and in the place of a lock: remove it`,
      );
    }
    throw fileFailure(error, `cannot lock ${path}: ${systemWords(error)}`);
  }
}

function makeLockFile(path: string, like: Stats | undefined): void {
  const { O_RDWR, O_CREAT, O_EXCL } = constants;
  const fd = openSync(path, O_RDWR | O_CREAT | O_EXCL, 0o600);
  try {
    if (like === undefined) return;
    try {
      fchownSync(fd, like.uid, like.gid);
      fchmodSync(fd, like.mode & 0o666);
    } catch {
      // Only root may give files away. For others it stays their own.
    }
  } finally {
    closeSync(fd);
  }
}
