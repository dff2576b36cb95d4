// Replaces a file that others are reading: they see all of the old text or all of the new. Nothing
// that somebody else puts in the folder meanwhile is followed, written to or given away.

import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname } from 'node:path';

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_DIRECTORY } = constants;

export interface ReplaceOptions {
  /** Rights of the new file, less the umask, where `keepsOwner` finds no old one. */
  readonly mode?: number;
  /**
   * Whether the new file gets the old one's rights and, where the system allows it, its owner and
   * group.
   */
  readonly keepsOwner?: boolean;
  /** Whether text and name are on the disk when the promise resolves. */
  readonly isDurable?: boolean;
  /**
   * Where the text is written before it gets its name, on the same file system; beside the file
   * when not given.
   */
  readonly temporaryFolder?: string;
}

/**
 * Writes a text to a new file and gives it the name of the old one.
 *
 * @param path latin1 text where `encoding` is latin1: a character a byte. A link there is replaced,
 *   not followed.
 * @param pieces the text, written one after the other
 * @param encoding of the path and of the pieces
 * @throws the system's error; the old file is then as it was, and no other is left
 */
export async function replaceFile(
  path: string,
  pieces: Iterable<string>,
  encoding: 'utf8' | 'latin1',
  options: ReplaceOptions = {},
): Promise<void> {
  const bytes = (text: string): Buffer => Buffer.from(text, encoding);
  const folder = options.temporaryFolder ?? dirname(path);
  const temporary = bytes(`${folder}/${temporaryName(basename(path))}`);
  const file = await open(
    temporary,
    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
    options.mode ?? 0o644,
  );
  try {
    try {
      // Unlike write, this goes on after a piece that was written in part.
      for (const piece of pieces) await file.writeFile(bytes(piece));
      if (options.keepsOwner === true) await keepOwner(bytes(path), file);
      if (options.isDurable === true) await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, bytes(path));
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  if (options.isDurable === true) await syncFolder(bytes(dirname(path)));
}

/** Nobody can tell it beforehand. */
function temporaryName(name: string): string {
  return `${name}.${process.pid}.${randomBytes(6).toString('hex')}`;
}

/** Whether a name is one that `replaceFile` gives to a file of that name while it writes. */
export function isTemporaryNameOf(entry: string, name: string): boolean {
  return (
    entry.startsWith(`${name}.`) && /^[0-9]+\.[0-9a-f]{12}$/.test(entry.slice(name.length + 1))
  );
}

async function keepOwner(path: Buffer, file: FileHandle): Promise<void> {
  const old = await lstat(path).catch(() => null);
  if (old?.isFile() !== true) return;
  // Only root may give files away; for others the new file is theirs.
  await file.chown(old.uid, old.gid).catch(() => undefined);
  await file.chmod(old.mode & 0o777);
}

/** Some file systems know no fsync(2) of a folder, and need none. */
async function syncFolder(path: Buffer): Promise<void> {
  const folder = await open(path, O_RDONLY | O_DIRECTORY);
  try {
    await folder.sync();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
  } finally {
    await folder.close();
  }
}
