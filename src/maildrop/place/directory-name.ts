// Names of users and domains as names of directories, lightly encoded. doc/pop3d.8, Maildrops.

import { isUtf8 } from 'node:buffer';

const maxNameBytes = 255;

/** Nothing in it is encoded. */
const usualName = /^[a-z0-9][a-z0-9._+-]{0,254}$/;

/**
 * Encodes a user's or domain's name as the name of a directory: ASCII lower-cased; `/`, `%`,
 * control characters and a leading `.` become `%XX`.
 *
 * @returns latin1 bytes; null for a name that cannot be a directory's: empty, not UTF-8, or over
 *   255 bytes when encoded
 */
export function encodeDirectoryName(name: string): string | null {
  if (usualName.test(name)) return name;
  const bytes = Buffer.from(name, 'utf8');
  // A lone surrogate would have become U+FFFD: another name.
  if (bytes.length === 0 || !isUtf8(bytes) || bytes.toString('utf8') !== name) return null;
  const encoded = bytes
    .toString('latin1')
    .replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
    .replace(/^\.|[/%\x00-\x1f\x7f]/g, (character) => {
      return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
    });
  return encoded.length > maxNameBytes ? null : encoded;
}
