// Edits a file that others are reading, one editor at a time.

import { realpathSync, readlinkSync, statSync, unlinkSync } from 'node:fs';
import { lockFile } from './file-lock.js';
import { replaceFile } from './replace-file.js';

/**
 * Edits a file, with a lock on `FILE.lock`, which stays as an empty file. Links to the file stay
 * links.
 *
 * @param edit gets the path to read; what it returns becomes the file's text, and null leaves the
 *   file alone
 * @returns whether there was a new text, which is then on the disk
 * @throws TemporaryError when another editor does not finish within `patienceMs`;
 *   ConfigurationError when something else is in the place of the lock; the system's errors
 */
export async function editFile(
  file: string,
  edit: (path: string) => string | null,
  patienceMs = 10_000,
): Promise<boolean> {
  const path = realPath(file);
  removeLinkThatLocked(`${path}.lock`);
  const like = statSync(path, { throwIfNoEntry: false });
  const lock = await lockFile(`${path}.lock`, { patienceMs, like });
  try {
    const text = edit(path);
    if (text === null) return false;
    await replaceFile(path, [text], 'utf8', { keepsOwner: true, isDurable: true });
    return true;
  } finally {
    lock.release();
  }
}

/** The file behind symbolic links; the path itself while there is no file. */
function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

/**
 * Earlier versions locked by a link to their process number, and left it behind when they were
 * killed.
 */
function removeLinkThatLocked(lock: string): void {
  try {
    if (/^[0-9]+$/.test(readlinkSync(lock))) unlinkSync(lock);
  } catch {
    // No link: a lock of today, or nothing.
  }
}
