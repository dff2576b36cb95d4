// How long a password may be, and how two values are compared.

import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Longest password that is hashed, in octets: what a line of PASS and a SASL response can be
 * expected to carry.
 */
export const maxPasswordOctets = 512;

/** For a length and what is compared; each comparison reads all of them. */
const rooms = [Buffer.alloc(2 + maxPasswordOctets), Buffer.alloc(2 + maxPasswordOctets)] as const;

/**
 * Compares the two as if they were of one length, or their digests, so that neither the contents
 * nor the place of a difference show in the time it takes.
 */
export function isEqual(one: Buffer | string, other: Buffer | string): boolean {
  const values = [octetsOf(one), octetsOf(other)] as const;
  if (values.some(({ length }) => length > maxPasswordOctets)) {
    return timingSafeEqual(sha256(values[0]), sha256(values[1]));
  }
  for (const index of [0, 1] as const) {
    rooms[index].writeUInt16BE(values[index].length);
    values[index].copy(rooms[index], 2);
  }
  const areEqual = timingSafeEqual(...rooms);
  for (const room of rooms) room.fill(0);
  return areEqual;
}

function octetsOf(value: Buffer | string): Buffer {
  return typeof value === 'string' ? Buffer.from(value) : value;
}

function sha256(value: Buffer): Buffer {
  return createHash('sha256').update(value).digest();
}
