// The files of a Maildir as a session finds them at its start: the union of scans until one adds
// nothing, because readdir misses files that are renamed while it runs.

import { baseNameOf } from '../../maildir/base-name.js';
import { scanDirectory, type Subdirectory } from '../../maildir/scan.js';
import { Turns, tinySteps } from '../../system/runtime/turns.js';
import type { MaildirFolders } from '../place/maildir-folders.js';
import type { MaildirStamps } from './maildir-stamps.js';

/** Entries that are not served. */
export interface SkippedEntries {
  readonly count: number;
  /**
   * The one that was found first, with its subdirectory, latin1 bytes; empty when there is none.
   */
  readonly example: string;
}

/**
 * Two lists of equal length: 100,000 pairs in objects of their own would be as many more to
 * collect.
 */
export interface FoundFiles {
  /** latin1 bytes. */
  readonly names: string[];
  readonly subdirectories: Subdirectory[];
  /** What is no regular file. */
  readonly skipped: SkippedEntries;
}

/**
 * Scans of one opening until the list is taken as it is; a Maildir that changes all the time must
 * open too.
 */
const maxOpeningScans = 10;

/**
 * Finds all files, once or, where a base name was there twice during one scan, more than once: the
 * last one is the one that was seen last.
 *
 * @param stamps taken just before
 * @throws the system's error
 */
export async function scanForOpening(
  folders: MaildirFolders,
  stamps: MaildirStamps,
): Promise<FoundFiles> {
  const names: string[] = [];
  const subdirectories: Subdirectory[] = [];
  const skipped = { count: 0, example: '' };
  await scanMaildir(
    folders,
    (subdirectory, name) => {
      names.push(name);
      subdirectories.push(subdirectory);
    },
    (subdirectory, name) => {
      if (skipped.count === 0) skipped.example = `${subdirectory}/${name}`;
      skipped.count += 1;
    },
  );
  const found: FoundFiles = { names, subdirectories, skipped };
  // When the stamp did not change, nothing was renamed while the scan ran.
  if (stamps.haveChanged()) await scanFurther(folders, stamps, found);
  return found;
}

async function scanFurther(
  folders: MaildirFolders,
  stamps: MaildirStamps,
  { names, subdirectories }: FoundFiles,
): Promise<void> {
  const turns = new Turns(tinySteps);
  const indexes = new Map<string, number>();
  for (const [index, name] of names.entries()) {
    indexes.set(baseNameOf(name), index);
    if (turns.isOver()) await turns.next();
  }
  for (let scans = 2; scans <= maxOpeningScans; scans += 1) {
    const countBefore = names.length;
    await scanMaildir(folders, (subdirectory, name) => {
      const baseName = baseNameOf(name);
      const index = indexes.get(baseName) ?? names.length;
      indexes.set(baseName, index);
      names[index] = name;
      subdirectories[index] = subdirectory;
    });
    if (names.length === countBefore || !stamps.haveChanged()) return;
  }
}

/** Visits every file. `new` first: mail moves from there to `cur`, and so is seen at least once. */
export async function scanMaildir(
  folders: MaildirFolders,
  visit: (subdirectory: Subdirectory, name: string) => void,
  skip: (subdirectory: Subdirectory, name: string) => void = () => undefined,
): Promise<void> {
  for (const subdirectory of ['new', 'cur'] as const) {
    await scanDirectory(
      (name) => folders.pathOf(subdirectory, name),
      (name) => visit(subdirectory, name),
      (name) => skip(subdirectory, name),
    );
  }
}
