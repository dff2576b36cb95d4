// Replaces a file that pop3d keeps in a Maildir beside the messages: written in `tmp`, put in its place by rename.

import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, rename, unlink } from 'node:fs/promises';

/**
 * Replaces the file, or makes it. Two sessions that write at once both succeed; one file stays.
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
  const temporary = Buffer.from(
    `${inbox}/tmp/${name}.${process.pid}.${randomBytes(6).toString('hex')}`,
    'latin1',
  );
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const file = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    try {
      for (const piece of pieces) await file.write(Buffer.from(piece, 'latin1'));
    } finally {
      await file.close();
    }
    await rename(temporary, Buffer.from(`${inbox}/${name}`, 'latin1'));
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}
