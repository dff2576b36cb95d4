// Replaces a file that others are reading: they see all of the old text or all of the new. Editors take turns.

import {
  chownSync,
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { TemporaryError } from '../failures/failures.js';

const newFileMode = 0o644;
const retryMs = 20;

/**
 * Edits a file, one editor at a time: a symbolic link beside it, `FILE.lock`, holds the editor's process number, and
 * one left by a process that is gone counts for nothing.
 *
 * @param edit gets the path to read; what it returns becomes the file's text, and null leaves the file alone
 * @returns whether there was a new text
 * @throws TemporaryError when another editor does not finish within `patienceMs`; the system's errors
 */
export async function editFile(
  file: string,
  edit: (path: string) => string | null,
  patienceMs = 10_000,
): Promise<boolean> {
  const path = realPath(file);
  const lock = `${path}.lock`;
  await takeLock(lock, patienceMs);
  try {
    const text = edit(path);
    if (text !== null) replaceFile(path, text);
    return text !== null;
  } finally {
    unlinkSync(lock);
  }
}

/** The file behind symbolic links, so that they stay; the path itself while there is no file. */
function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

async function takeLock(lock: string, patienceMs: number): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      symlinkSync(String(process.pid), lock);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (isAbandoned(lock)) unlinkIfThere(lock);
    else if (performance.now() > deadline) {
      throw new TemporaryError(`${lock} exists: another program is editing the file`);
    } else await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}

function isAbandoned(lock: string): boolean {
  let holder;
  try {
    holder = Number(readlinkSync(lock));
  } catch {
    return false;
  }
  if (!Number.isInteger(holder) || holder <= 0) return false;
  try {
    process.kill(holder, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Keeps mode and, where allowed, owner. On disk, file and name, when it returns. */
function replaceFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.new`;
  const fd = openSync(temporary, 'w', newFileMode);
  try {
    try {
      writeFileSync(fd, text);
      keepOwnerAndMode(path, temporary, fd);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    unlinkIfThere(temporary);
    throw error;
  }
  const directory = openSync(dirname(path), 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function keepOwnerAndMode(path: string, temporary: string, fd: number): void {
  let stats;
  try {
    stats = statSync(path);
  } catch {
    return;
  }
  try {
    chownSync(temporary, stats.uid, stats.gid);
  } catch {
    // Only root may give files away; the new file is then the editor's.
  }
  fchmodSync(fd, stats.mode & 0o7777);
}
