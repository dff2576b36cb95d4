// Replaces a file that pop3d keeps in a Maildir beside the messages: written in `tmp`, put in its
// place by rename.

import { lstat, unlink } from 'node:fs/promises';
import { MaildirFolders } from '../place/maildir-folders.js';
import { scanDirectory } from '../../maildir/scan.js';
import { isTemporaryNameOf, replaceFile } from '../../system/files/replace-file.js';

/** Nobody is still writing a file in `tmp` that is older: maildir(5). */
const maxTemporaryAgeMs = 36 * 60 * 60 * 1000;

/**
 * Replaces the file, or makes it. Two sessions that write at once both succeed; one file stays.
 * What sessions that were killed while they wrote have left is removed.
 *
 * @param inbox the Maildir, latin1 bytes
 * @param name of the file
 * @param pieces its text, latin1 bytes, written one after the other
 * @throws the system's error, MaildropRefused for a link in the place of a directory, Error when
 *   `tmp` is none; the old file is then as it was
 */
export async function replaceMaildirFile(
  inbox: string,
  name: string,
  pieces: Iterable<string>,
): Promise<void> {
  await new MaildirFolders(inbox).whileOpen(['.', 'tmp'], async (own, temporaryFolder) => {
    await removeLeftovers(temporaryFolder, name);
    await replaceFile(`${own}/${name}`, pieces, 'latin1', { mode: 0o600, temporaryFolder });
  });
}

/** Never throws: what cannot be removed is no worse than before. */
async function removeLeftovers(folder: string, name: string): Promise<void> {
  const leftovers: Buffer[] = [];
  try {
    const pathOf = (entry: string): Buffer => Buffer.from(`${folder}/${entry}`, 'latin1');
    await scanDirectory(pathOf, (entry) => {
      if (isTemporaryNameOf(entry, name)) leftovers.push(pathOf(entry));
    });
    for (const path of leftovers) {
      const { mtimeMs } = await lstat(path);
      if (Date.now() - mtimeMs > maxTemporaryAgeMs) await unlink(path);
    }
  } catch {
    // Another session may have been quicker, or the folder may not be read.
  }
}
