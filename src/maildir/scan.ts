// Scans of a Maildir's `new` and `cur`. A scan of a large directory gives way to the rest of the process, and a stamp
// tells whether anything changed since: design.md's live view rests on these two.

import { lstatSync, opendirSync, statSync, type Dir, type Dirent, type Stats } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';

export type Subdirectory = 'new' | 'cur';

/** Entries read at a time; about half a millisecond. */
const batchSize = 512;

/** A time stamp may lag behind the clock by a tick of the kernel's (10 ms at most), more with rounding. */
const grainMs = 50;

/** Some file systems store whole or even seconds. */
const coarseGrainMs = 2500;

/**
 * Reads the names of regular files in a directory, as latin1 strings. Names starting with a dot are skipped, and so is
 * whatever is no regular file.
 *
 * Files that are renamed while the scan runs may be missed, or seen twice: see `DirectoryStamp`.
 *
 * @param directory path as latin1 bytes
 * @param visit called for each name
 * @param skip called for the name of each entry that is no regular file and has no dot at its start
 * @returns undefined when it was done at once; a promise when the directory is large
 * @throws the system's error, ENOENT included
 */
export function scanDirectory(
  directory: string,
  visit: (name: string) => void,
  skip: (name: string) => void = () => undefined,
): Promise<void> | undefined {
  const handle = opendirSync(Buffer.from(directory, 'latin1'), {
    // The declaration leaves latin1 out; names come as one character a byte.
    encoding: 'latin1',
    bufferSize: batchSize,
  });
  let isDone;
  try {
    isDone = scanBatch(directory, handle, visit, skip);
  } catch (error) {
    handle.closeSync();
    throw error;
  }
  if (!isDone) return scanRest(directory, handle, visit, skip);
  handle.closeSync();
  return undefined;
}

async function scanRest(
  directory: string,
  handle: Dir,
  visit: (name: string) => void,
  skip: (name: string) => void,
): Promise<void> {
  try {
    do await nextTurn();
    while (!scanBatch(directory, handle, visit, skip));
  } finally {
    handle.closeSync();
  }
}

/** @returns whether that was all */
function scanBatch(
  directory: string,
  handle: Dir,
  visit: (name: string) => void,
  skip: (name: string) => void,
): boolean {
  for (let count = 0; count < batchSize; count += 1) {
    const entry = handle.readSync();
    if (entry === null) return true;
    if (entry.name.startsWith('.')) continue;
    const isFile = isRegularFile(directory, entry);
    if (isFile === true) visit(entry.name);
    else if (isFile === false) skip(entry.name);
  }
  return false;
}

/** @returns null when it is gone, or cannot be looked at */
function isRegularFile(directory: string, entry: Dirent): boolean | null {
  if (entry.isFile()) return true;
  const isOther =
    entry.isDirectory() ||
    entry.isSymbolicLink() ||
    entry.isFIFO() ||
    entry.isSocket() ||
    entry.isBlockDevice() ||
    entry.isCharacterDevice();
  if (isOther) return false;
  // The file system does not say in the directory.
  try {
    return lstatSync(Buffer.from(`${directory}/${entry.name}`, 'latin1')).isFile();
  } catch {
    return null;
  }
}

/** Whether a directory changed since it was last scanned, from its time stamps alone. */
export class DirectoryStamp {
  readonly #directory: string;
  readonly #path: Buffer;
  #modifiedMs = Number.NaN;
  #changedMs = Number.NaN;
  #inode = Number.NaN;
  #device = Number.NaN;
  #firstSeenMs = 0;
  #isSettled = false;

  /** @param directory path as latin1 bytes */
  constructor(directory: string) {
    this.#directory = directory;
    this.#path = Buffer.from(directory, 'latin1');
  }

  /**
   * Whether a scan that was started after the last call of `hasChanged` can be relied upon as long as the stamp stays the
   * same. False when the last change was so recent that another one may hide behind the same time.
   */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** A stamp of its own that remembers the same. */
  copy(): DirectoryStamp {
    const copy = new DirectoryStamp(this.#directory);
    copy.#modifiedMs = this.#modifiedMs;
    copy.#changedMs = this.#changedMs;
    copy.#inode = this.#inode;
    copy.#device = this.#device;
    copy.#firstSeenMs = this.#firstSeenMs;
    copy.#isSettled = this.#isSettled;
    return copy;
  }

  /**
   * To be called before a scan, and later to ask whether another is needed.
   *
   * @returns whether the directory may hold something else than at the last call. A change within the clock's grain after
   *   another leaves the stamp as it is, so a stamp is trusted only once the clock has moved on.
   * @throws the system's error, ENOENT included
   */
  hasChanged(): boolean {
    const stats = statSync(this.#path);
    const isSame =
      stats.mtimeMs === this.#modifiedMs &&
      stats.ctimeMs === this.#changedMs &&
      stats.ino === this.#inode &&
      stats.dev === this.#device;
    if (isSame && this.#isSettled) return false;
    const now = performance.now();
    if (!isSame) {
      this.#modifiedMs = stats.mtimeMs;
      this.#changedMs = stats.ctimeMs;
      this.#inode = stats.ino;
      this.#device = stats.dev;
      this.#firstSeenMs = now;
    }
    this.#isSettled = isOlderThanGrain(stats, now - this.#firstSeenMs);
    return true;
  }
}

/** The age is taken by our clock, or, where the file system's clock is not ours, by how long we have seen the stamp. */
function isOlderThanGrain(stats: Stats, seenForMs: number): boolean {
  const isCoarse = stats.mtimeMs % 1000 === 0 && stats.ctimeMs % 1000 === 0;
  const grain = isCoarse ? coarseGrainMs : grainMs;
  const age = Date.now() - Math.max(stats.mtimeMs, stats.ctimeMs);
  return age > grain || seenForMs > grain;
}
