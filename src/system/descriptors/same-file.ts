// Whether two descriptors are one and the same: inetd gives the connection as 0, 1 and 2.

import { fstatSync } from 'node:fs';

/**
 * Whether two descriptors are the same file, pipe or socket. A closed descriptor is the same as
 * nothing, and a terminal or /dev/null on both is how people run a program by hand, so they do not
 * count.
 */
export function isSameFile(one: number, other: number): boolean {
  try {
    const a = fstatSync(one, { bigint: true });
    const b = fstatSync(other, { bigint: true });
    return a.dev === b.dev && a.ino === b.ino && !a.isCharacterDevice();
  } catch {
    return false;
  }
}
