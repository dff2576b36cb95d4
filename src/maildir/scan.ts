// Reads the names in a Maildir's directory, a slice at a time, so that the rest of the process gets
// its turn.

import { lstatSync, opendirSync, type Dir, type Dirent } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';

export type Subdirectory = 'new' | 'cur';

/** Entries read at a time; about half a millisecond. */
const batchSize = 512;

/**
 * The path of an entry, for use at once; of the directory itself for an empty name. Names are
 * latin1 bytes.
 */
export type PathOf = (name: string) => Buffer;

/**
 * Reads the names of regular files in a directory, as latin1 strings. Names starting with a dot are
 * skipped, and so is whatever is no regular file.
 *
 * Files that are renamed while the scan runs may be missed, or seen twice.
 *
 * @param visit called for each name
 * @param skip called for the name of each entry that is no regular file and has no dot at its start
 * @returns undefined when it was done at once; a promise when the directory is large
 * @throws the system's error, ENOENT included
 */
export function scanDirectory(
  pathOf: PathOf,
  visit: (name: string) => void,
  skip: (name: string) => void = () => undefined,
): Promise<void> | undefined {
  const handle = opendirSync(pathOf(''), {
    // The declaration leaves latin1 out; names come as one character a byte.
    encoding: 'latin1',
    bufferSize: batchSize,
  });
  let isDone;
  try {
    isDone = scanBatch(pathOf, handle, visit, skip);
  } catch (error) {
    handle.closeSync();
    throw error;
  }
  if (!isDone) return scanRest(pathOf, handle, visit, skip);
  handle.closeSync();
  return undefined;
}

async function scanRest(
  pathOf: PathOf,
  handle: Dir,
  visit: (name: string) => void,
  skip: (name: string) => void,
): Promise<void> {
  try {
    do await nextTurn();
    while (!scanBatch(pathOf, handle, visit, skip));
  } finally {
    handle.closeSync();
  }
}

/** @returns whether that was all */
function scanBatch(
  pathOf: PathOf,
  handle: Dir,
  visit: (name: string) => void,
  skip: (name: string) => void,
): boolean {
  for (let count = 0; count < batchSize; count += 1) {
    const entry = handle.readSync();
    if (entry === null) return true;
    if (entry.name.startsWith('.')) continue;
    const isFile = isRegularFile(pathOf, entry);
    if (isFile === true) visit(entry.name);
    else if (isFile === false) skip(entry.name);
  }
  return false;
}

/** @returns null when it is gone, or cannot be looked at */
function isRegularFile(pathOf: PathOf, entry: Dirent): boolean | null {
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
    return lstatSync(pathOf(entry.name)).isFile();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return null;
  }
}
