// Delivery into a Maildir in the steps that survive a power cut: a file in tmp, fsync, a link in
// new, fsync of new. maildir(5). The tmp file stays until its owner has recorded the delivery;
// where there is no link(2), it is renamed into new. Knows nothing of POP3.

import {
  accessSync,
  close,
  closeSync,
  constants,
  fdatasync,
  fsync,
  linkSync,
  lstatSync,
  open,
  openSync,
  readdir,
  renameSync,
  unlinkSync,
  write,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileFailure } from '../system/failures/file-failure.js';
import { ConfigurationError } from '../system/failures/failures.js';
import { systemWords } from '../system/failures/system-words.js';

const openFile = promisify(open);
const closeFile = promisify(close);
const syncFile = promisify(fsync);
const listDirectory = promisify(readdir);
export const syncData = promisify(fdatasync);

const createFlags =
  constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** How a message gets from tmp to new. */
export type Placing = 'link' | 'rename';

/**
 * What link(2) fails with where a file system (vfat, exFAT, some of FUSE and CIFS) or a sandbox
 * (Android) has no links.
 */
const noLinkCodes = new Set(['EPERM', 'EACCES', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK']);

/** What fsync(2) of a directory fails with where there is none: CIFS, some of FUSE. */
const noSyncCodes = new Set(['EINVAL', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']);

/** In the place of a file's first octet until all of the file is there. */
const unfinishedMark = 0;

/**
 * A message on its way: open in tmp, seen by nobody. Its first octet is NUL until it is whole.
 * Every method throws the system's error. Only what waits for the disk goes to the thread pool: for
 * anything else the way there and back takes longer than the call.
 */
export class TmpFile {
  readonly #path: string;
  readonly #fd: number;
  #firstOctet: Buffer | null = null;
  #isOpen = true;

  private constructor(path: string, fd: number) {
    this.#path = path;
    this.#fd = fd;
  }

  /** @throws EEXIST when the name is taken */
  static create(maildir: string, name: string): TmpFile {
    const path = `${maildir}/tmp/${name}`;
    return new TmpFile(path, openSync(path, createFlags, 0o600));
  }

  /** @param bytes may be changed */
  write(bytes: Buffer): void {
    if (this.#firstOctet === null && bytes.length > 0) {
      this.#firstOctet = Buffer.from(bytes.subarray(0, 1));
      bytes[0] = unfinishedMark;
    }
    for (let written = 0; written < bytes.length;) {
      written += writeSync(this.#fd, bytes, written);
    }
  }

  /** Marks the content as whole, makes it durable and closes the file. */
  async finish(): Promise<void> {
    try {
      if (this.#firstOctet !== null) writeSync(this.#fd, this.#firstOctet, 0, 1, 0);
      await syncFile(this.#fd);
    } finally {
      this.#close();
    }
  }

  /** Removes the file. What cannot be removed is left for the next recovery. */
  discard(): void {
    try {
      this.#close();
    } catch {
      // Whatever it is, it is closed.
    }
    try {
      unlinkSync(this.#path);
    } catch {
      // It stays for the next run.
    }
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.#fd);
  }
}

/** Whether a file in tmp was finished, by its first octets. An empty one was not. */
export function isFinished(start: Buffer): boolean {
  return start.length > 0 && start[0] !== unfinishedMark;
}

/**
 * Finds out how messages can be placed in new, by making a file in tmp and a link to it there.
 *
 * @param name a name that is free in tmp, as is the same with `.link` behind it
 * @returns `link` also when that cannot be found out, as on a full disk: then nothing can be stored
 *   either
 */
export function findPlacing(maildir: string, name: string): Placing {
  const path = `${maildir}/tmp/${name}`;
  try {
    closeSync(openSync(path, createFlags, 0o600));
    linkSync(path, `${path}.link`);
    return 'link';
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    return syscall === 'link' && noLinkCodes.has(code ?? '') ? 'rename' : 'link';
  } finally {
    for (const one of [`${path}.link`, path]) {
      try {
        unlinkSync(one);
      } catch {
        // It was not made, or it stays for the next run.
      }
    }
  }
}

/**
 * Writes all of the bytes; a short write is followed by another.
 *
 * @param position where in the file; null for where the descriptor stands
 */
export async function writeAll(
  fd: number,
  bytes: Buffer,
  position: number | null = null,
): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const at = position === null ? null : position + written;
    written += await new Promise<number>((resolve, reject) => {
      write(fd, bytes, written, bytes.length - written, at, (error, count) => {
        if (error === null) resolve(count);
        else reject(error);
      });
    });
  }
}

/**
 * Shows a finished tmp file in new; with `rename` it is no longer in tmp then. rename(2) would
 * replace what has the name already: Node has no renameat2(2), and an empty file to reserve the
 * name would be a message to readers. So the name is looked for first, and names must be such that
 * two deliveries never choose the same one.
 *
 * @throws EEXIST when new has that name already; nothing is ever replaced
 */
export function placeInNew(
  maildir: string,
  placing: Placing,
  tmpName: string,
  newName: string,
): void {
  const [from, to] = [`${maildir}/tmp/${tmpName}`, `${maildir}/new/${newName}`];
  if (placing === 'link') {
    linkSync(from, to);
    return;
  }
  if (lstatSync(to, { throwIfNoEntry: false }) !== undefined) {
    throw Object.assign(new Error(`EEXIST: file already exists, rename '${from}' -> '${to}'`), {
      code: 'EEXIST',
    });
  }
  renameSync(from, to);
}

/** Removes a tmp file whose message is recorded. Its absence is success. */
export function removeTmp(maildir: string, tmpName: string): void {
  try {
    unlinkSync(`${maildir}/tmp/${tmpName}`);
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}

/** Makes the entries of a directory durable, where the file system has fsync(2) for directories. */
export async function syncDirectory(path: string): Promise<void> {
  const fd = await openFile(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await syncFile(fd);
  } catch (error) {
    if (!noSyncCodes.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    await closeFile(fd);
  }
}

/**
 * The names in new and cur, as latin1 text. new is read first: what moves to cur meanwhile is found
 * there.
 */
export async function listMessages(maildir: string): Promise<readonly string[]> {
  const folders = [];
  for (const folder of ['new', 'cur']) {
    folders.push(await listDirectory(join(maildir, folder), 'latin1'));
  }
  return folders.flat();
}

/**
 * Checks that a directory can take deliveries. It may be a symbolic link itself; what is in it may
 * not, so that mail stays in the directory that was named.
 *
 * @throws ConfigurationError naming what is missing, is no directory or may not be written in, or
 *   that tmp and new are on different file systems (neither link nor rename works then);
 *   TemporaryError for trouble that may pass
 */
export function checkMaildir(maildir: string): void {
  const devices = new Set<number>();
  for (const folder of ['tmp', 'new', 'cur']) {
    const path = join(maildir, folder);
    try {
      const stats = lstatSync(path);
      if (stats.isSymbolicLink()) {
        throw new ConfigurationError(`${path} is a symbolic link: it must be a directory`);
      }
      if (!stats.isDirectory()) throw new ConfigurationError(`${path} is not a directory`);
      if (folder !== 'cur') devices.add(stats.dev);
      const { R_OK, W_OK, X_OK } = constants;
      accessSync(path, folder === 'cur' ? R_OK : R_OK | W_OK | X_OK);
    } catch (error) {
      if (isAbsent(error)) {
        throw new ConfigurationError(
          `${maildir} is no Maildir: it has no directory ${folder} (make one: mkdir -p -m 700 ${maildir}/new ${maildir}/cur ${maildir}/tmp)`,
        );
      }
      throw fileFailure(error, `cannot store in ${path}: ${systemWords(error)}`);
    }
  }
  if (devices.size > 1) {
    throw new ConfigurationError(`${maildir}/tmp and ${maildir}/new are on different file systems`);
  }
}

function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
