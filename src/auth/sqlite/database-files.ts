// The files that SQLite opens for a database: the database itself and, beside it, its journal or
// its write-ahead log. SQLite opens them without asking what they are, and a FIFO there would hold
// it up for ever.

import {
  closeSync,
  lstatSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
  type BigIntStats,
} from 'node:fs';
import { NotRegularFile, requireRegularFile } from '../../system/files/open-regular-file.js';

export interface DatabaseFiles {
  /** Without links: where SQLite looks for the files beside. */
  readonly path: string;
  readonly stats: BigIntStats;
}

/** Something else is in the place of one of the files; the message names it. */
export class NotADatabaseFile extends Error {}

/**
 * Looks at the files of a database before they are opened or read.
 *
 * @throws NotADatabaseFile; the system's error, ENOENT when there is no database
 */
export function lookAtDatabaseFiles(file: string): DatabaseFiles {
  const path = realpathSync.native(file);
  const stats = statSync(path, { bigint: true });
  requireFile(file, stats);
  for (const suffix of ['-journal', '-wal', '-shm']) {
    const beside = lstatSync(path + suffix, { throwIfNoEntry: false });
    if (beside !== undefined) requireFile(path + suffix, beside);
  }
  return { path, stats };
}

function requireFile(path: string, stats: Parameters<typeof requireRegularFile>[0]): void {
  try {
    requireRegularFile(stats);
  } catch (error) {
    if (error instanceof NotRegularFile) throw new NotADatabaseFile(`${path} ${error.message}`);
    throw error;
  }
}

/**
 * Whether a file is mounted by itself, as containers do with single files. Then those who write to
 * it under its other name put their write-ahead log beside that name, where it is not seen from
 * here.
 */
export function isMountedByItself(path: string): boolean {
  let mounts;
  try {
    mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return false; // No Linux, or no /proc.
  }
  return mounts.split('\n').some((line) => {
    const point = line.split(' ')[4] ?? '';
    // proc(5): blanks and backslashes are written as three octal digits.
    const unescaped = point.replace(/\\([0-7]{3})/g, (_, digits: string) =>
      String.fromCharCode(parseInt(digits, 8)),
    );
    return unescaped === path;
  });
}

/** A sentence on a file that SQLite does not take for a database. */
export function whatIsNoDatabase(file: string): string {
  return looksLikePasswdFile(file)
    ? `${file} is no SQLite database but a text, such as a passwd-file: "passdb import" reads those`
    : `${file} is no SQLite database`;
}

function looksLikePasswdFile(file: string): boolean {
  const start = Buffer.alloc(256);
  let length;
  try {
    const fd = openSync(file, 'r');
    try {
      length = readSync(fd, start, 0, start.length, 0);
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
  const text = start.toString('latin1', 0, length);
  return /^[^:\s\0]+:[^:\0]+/m.test(text) && !/[\0-\x08\x0e-\x1f]/.test(text);
}
