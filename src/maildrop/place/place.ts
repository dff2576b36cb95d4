// Where a user's Maildir is, and which directories above it are whose.

import { dirname } from 'node:path';

/** Paths are latin1 bytes, relative to the mail root or absolute, without a slash at the end. */
export interface Place {
  readonly path: string;
  /**
   * The directory that was made for the user, `path` or one above it; what is below is the user's.
   * Null where nobody can tell.
   */
  readonly own: string | null;
  /** The mail root, or what stands for it: no user's name has a part in it. */
  readonly root: string;
}

/** The directories above a path, the nearest first: up to the mail root, or to `/`. */
export function directoriesAbove(path: string): readonly string[] {
  const above: string[] = [];
  for (let at = path; at !== '.' && at !== '/';) {
    at = dirname(at);
    above.push(at);
  }
  return above;
}

/** Whether a directory is below another one; only by their names. */
export function isBelow(directory: string, other: string): boolean {
  if (other === '.') return directory !== '.' && !directory.startsWith('/');
  return other === '/' ? directory !== '/' : directory.startsWith(`${other}/`);
}
