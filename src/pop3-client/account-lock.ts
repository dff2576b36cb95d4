// One pop3get per account and Maildir at a time. The lock is SQLite's on an empty file: the kernel lets go of it when its
// holder dies, however it dies, so it cannot be stale, and it holds across containers that share the directory.

import { join } from 'node:path';
import { TemporaryError } from '../system/program.js';
import { accountTag } from './message-key.js';

export interface AccountLock {
  release(): void;
}

/** @throws TemporaryError when another process has the lock; the system's trouble with the file as SQLite words it */
export async function lockAccount(maildir: string, account: string): Promise<AccountLock> {
  const { default: Database } = await import('better-sqlite3');
  const path = join(maildir, `pop3get.${accountTag(account)}.lock`);
  try {
    const database = new Database(path, { timeout: 0 });
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
