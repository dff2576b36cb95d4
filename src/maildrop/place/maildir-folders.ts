// The directories of a Maildir, none of them a symbolic link, and the paths of what is in them.
// Such a path goes through an open descriptor: it leads to the directory that was found, even when
// somebody later puts something else in that directory's place. Node has no openat(2); Linux's
// /proc/self/fd does the same.

import { closeSync, constants, existsSync, lstatSync, openSync } from 'node:fs';
import { LRUCache } from 'lru-cache';
import { MaildropRefused } from '../messages/maildrop-refused.js';

/** `.` is the Maildir itself. */
export type Folder = 'new' | 'cur' | 'tmp' | '.';

/**
 * Directories of at most so many Maildirs are open at a time, however many sessions there are. Each
 * takes up to four descriptors.
 */
const maxOpenMaildirs = 8;

/** Needs no right to read. Node has no name for it. */
const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW } = constants;

const openFolders = new LRUCache<MaildirFolders, Map<Folder, number>>({
  max: maxOpenMaildirs,
  dispose: closeAll,
});

let canUseDescriptors: boolean | undefined;

export class MaildirFolders {
  /** latin1 bytes. */
  readonly inbox: string;

  constructor(inbox: string) {
    this.inbox = inbox;
  }

  /**
   * The path of an entry, to be used before anything is awaited. Only the entry itself may be a
   * link. Without /proc, each call looks whether a directory on the way is a link, and a change
   * right after that look is not noticed.
   *
   * @param name latin1 bytes; empty for the folder itself
   * @throws MaildropRefused for a link in a folder's place; the system's error, ENOENT included;
   *   Error for what is no directory
   */
  pathOf(folder: Folder, name: string): Buffer {
    let path;
    try {
      path = this.#reach(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EMFILE') throw error;
      // Those of other Maildirs can be opened again.
      openFolders.clear();
      path = this.#reach(folder);
    }
    return Buffer.from(`${path}/${name}`, 'latin1');
  }

  /**
   * Opens two folders for as long as `use` runs, for work that waits in between.
   *
   * @param use gets the folders' paths, latin1 bytes, in the same order
   * @throws as `pathOf`, and what `use` throws
   */
  async whileOpen<T>(
    [one, other]: readonly [Folder, Folder],
    use: (pathOfOne: string, pathOfOther: string) => Promise<T>,
  ): Promise<T> {
    const descriptors = new Map<Folder, number>();
    try {
      return await use(this.#reach(one, descriptors), this.#reach(other, descriptors));
    } finally {
      closeAll(descriptors);
    }
  }

  /** Closes what is open: the next path leads to what is in the folders' places then. */
  release(): void {
    openFolders.delete(this);
  }

  #reach(folder: Folder, descriptors = this.#descriptors()): string {
    canUseDescriptors ??= existsSync('/proc/self/fd');
    if (!canUseDescriptors) return this.#reachByName(folder);
    let fd = descriptors.get(folder);
    if (fd === undefined) {
      const path = folder === '.' ? this.inbox : `${this.#reach('.', descriptors)}/${folder}`;
      fd = openDirectory(path, this.#nameOf(folder));
      descriptors.set(folder, fd);
    }
    return `/proc/self/fd/${fd}`;
  }

  #descriptors(): Map<Folder, number> {
    let descriptors = openFolders.get(this);
    if (descriptors === undefined) {
      descriptors = new Map();
      openFolders.set(this, descriptors);
    }
    return descriptors;
  }

  #reachByName(folder: Folder): string {
    for (const path of new Set([this.inbox, this.#nameOf(folder)])) requireDirectory(path, path);
    return this.#nameOf(folder);
  }

  #nameOf(folder: Folder): string {
    return folder === '.' ? this.inbox : `${this.inbox}/${folder}`;
  }
}

/** Of a directory that nothing was written through, an error of close(2) says nothing. */
function closeAll(descriptors: ReadonlyMap<Folder, number>): void {
  for (const fd of descriptors.values()) {
    try {
      closeSync(fd);
    } catch {
      // Linux has closed it all the same.
    }
  }
}

/** @param name what the directory is called in errors */
function openDirectory(path: string, name: string): number {
  try {
    return openSync(Buffer.from(path, 'latin1'), O_PATH | O_DIRECTORY | O_NOFOLLOW);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR' || code === 'ELOOP') requireDirectory(path, name);
    throw error;
  }
}

function requireDirectory(path: string, name: string): void {
  const stats = lstatSync(Buffer.from(path, 'latin1'));
  if (stats.isSymbolicLink()) throw new MaildropRefused(`${name} is a symbolic link`);
  if (!stats.isDirectory()) throw new Error(`${name} is not a directory`);
}
