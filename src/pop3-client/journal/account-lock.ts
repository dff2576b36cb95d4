// One pop3get per account and Maildir at a time.

import { join } from 'node:path';
import { TemporaryError } from '../../system/failures/failures.js';
import { lockFile, type FileLock } from '../../system/files/file-lock.js';
import { accountTag } from './message-key.js';

/** Throws as `lockFile` does, at once when another process has the lock. */
export async function lockAccount(maildir: string, account: string): Promise<FileLock> {
  const path = join(maildir, `pop3get.${accountTag(account)}.lock`);
  try {
    return await lockFile(path);
  } catch (error) {
    if (!(error instanceof TemporaryError)) throw error;
    throw new TemporaryError(`another pop3get is at work on this account: ${error.message}`);
  }
}
