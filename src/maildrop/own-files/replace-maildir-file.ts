// Replaces a file that pop3d keeps in a Maildir beside the messages: written in `tmp`, put in its place by rename.

import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, rename, unlink } from 'node:fs/promises';
import { scanDirectory } from '../../maildir/scan.js';

/** What is older in `tmp` nobody is writing any more: maildir(5). */
const maxTemporaryAgeMs = 36 * 60 * 60 * 1000;

/**
 * Replaces the file, or makes it. Two sessions that write at once both succeed; one file stays. What sessions that were
 * killed while they wrote have left is removed.
 *
 * @param inbox the Maildir, latin1 bytes
 * @param name of the file
 * @param pieces its text, latin1 bytes, written one after the other
 * @throws the system's error, or Error when `tmp` is no directory; the old file is then as it was
 */
export async function replaceMaildirFile(
  inbox: string,
  name: string,
  pieces: Iterable<string>,
): Promise<void> {
  // A link there would lead the file out of the Maildir.
  const folder = await lstat(Buffer.from(`${inbox}/tmp`, 'latin1'));
  if (!folder.isDirectory()) throw new Error(`${inbox}/tmp is not a directory`);
  await removeLeftovers(`${inbox}/tmp`, name);
  const temporary = Buffer.from(
    `${inbox}/tmp/${name}.${process.pid}.${randomBytes(6).toString('hex')}`,
    'latin1',
  );
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const file = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    try {
      // Unlike write, this goes on after a piece that was written in part.
      for (const piece of pieces) await file.writeFile(Buffer.from(piece, 'latin1'));
    } finally {
      await file.close();
    }
    await rename(temporary, Buffer.from(`${inbox}/${name}`, 'latin1'));
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

/** Never throws: what cannot be removed is no worse than before. */
async function removeLeftovers(folder: string, name: string): Promise<void> {
  const leftovers: Buffer[] = [];
  try {
    await scanDirectory(folder, (entry) => {
      if (isTemporaryNameOf(entry, name))
        leftovers.push(Buffer.from(`${folder}/${entry}`, 'latin1'));
    });
    for (const path of leftovers) {
      const { mtimeMs } = await lstat(path);
      if (Date.now() - mtimeMs > maxTemporaryAgeMs) await unlink(path);
    }
  } catch {
    // Another session may have been quicker, or the folder may not be read.
  }
}

/** Whether a name is one that `replaceMaildirFile` gives while it writes. */
function isTemporaryNameOf(entry: string, name: string): boolean {
  return (
    entry.startsWith(`${name}.`) && /^[0-9]+\.[0-9a-f]{12}$/.test(entry.slice(name.length + 1))
  );
}
