// Reads a text file that another program may be writing or may have put there to harm: regular, of bounded size, never a link.

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/**
 * Reads a file as latin1 text, one character a byte. Of a file that is replaced by rename, or grows, meanwhile this is one
 * state: the old one, or a beginning.
 *
 * @param path latin1 bytes
 * @returns null when there is no such file
 * @throws the system's error; Error for what is no regular file or is larger than `maxBytes`
 */
export function readWholeFile(path: string, maxBytes: number): string | null {
  const fd = tryOpen(Buffer.from(path, 'latin1'));
  if (fd === null) return null;
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw new Error(`${path} is not a regular file`);
    if (stats.size > maxBytes) throw new Error(`${path} has more than ${maxBytes} bytes`);
    const bytes = Buffer.allocUnsafe(stats.size);
    let length = 0;
    while (length < bytes.length) {
      const count = readSync(fd, bytes, length, bytes.length - length, null);
      if (count === 0) break;
      length += count;
    }
    return bytes.toString('latin1', 0, length);
  } finally {
    closeSync(fd);
  }
}

function tryOpen(path: Buffer): number | null {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
