// How long a password may be, and how two values are compared.

import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Longest password that is hashed, in octets: what a line of PASS and a SASL response can be
 * expected to carry.
 */
export const maxPasswordOctets = 512;

/**
 * Compares digests, so that neither the contents nor the place of a difference show in the time it
 * takes.
 */
export function isEqual(one: Buffer | string, other: Buffer | string): boolean {
  const digest = (value: Buffer | string): Buffer => createHash('sha256').update(value).digest();
  return timingSafeEqual(digest(one), digest(other));
}
