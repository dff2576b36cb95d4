// Whether a missing Maildir means that no mail has come yet, or that the file system with the mail
// is not mounted. A client that sees an empty maildrop forgets which messages it had. So when the
// two cases cannot be told apart, the login fails.

import { readdirSync, statSync, type Stats } from 'node:fs';
import { directoriesAbove, isBelow, type Place } from './place.js';

/**
 * Looks at the nearest directory above a missing Maildir. The user's own was made for the user: no
 * mail has come. Any other one must hold something, as a mount point without its file system does
 * not. It may be empty where a file system is mounted on it, or, below the mail root, where it was
 * given to somebody else than root. The root itself must be there.
 *
 * @throws Error that names the empty directory; the system's error
 */
export function requireMounted({ path, own, root }: Place): void {
  if (root !== path && tryStat(root) === null) {
    throw new Error(`there is no ${root}: is its file system not mounted?`);
  }
  const above = directoriesAbove(path);
  const [parent = '.'] = above;
  for (const directory of above) {
    const stats = tryStat(directory);
    if (stats === null) continue;
    const isOwn = directory === own || (own === null && directory === parent);
    if (isOwn || (own !== null && isBelow(directory, own))) return;
    const isGivenAway = isBelow(directory, root) && stats.uid !== 0;
    if (isGivenAway || isMountPoint(directory, stats) || holdsSomething(directory, stats)) return;
    const name = directory === '.' ? 'the mail root' : directory;
    const toMake = own === null || own === path ? parent : own;
    throw new Error(
      `${name} is empty: is its file system not mounted? If nobody has mail yet, make the directory ${toMake}`,
    );
  }
}

function isMountPoint(directory: string, { dev }: Stats): boolean {
  return tryStat(`${directory}/..`)?.dev !== dev;
}

function holdsSomething(directory: string, { nlink }: Stats): boolean {
  try {
    // What file systems and programs put in every directory says nothing.
    return readdirSync(Buffer.from(directory, 'latin1'), 'latin1').some(
      (name) => !name.startsWith('.') && name !== 'lost+found',
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    // It may not be read. Many file systems count a link for each directory in it, and two for
    // itself.
    return nlink > 2;
  }
}

/**
 * Not with `throwIfNoEntry`: from Node 22 on a file in the place of a directory on the way is no
 * entry to it either, and the maildrop would look empty.
 *
 * @returns null when there is nothing
 */
function tryStat(path: string): Stats | null {
  try {
    return statSync(Buffer.from(path, 'latin1'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
