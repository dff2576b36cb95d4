// APOP (RFC 1939 §7): MD5 over the greeting's timestamp and the password. Old; RFC 6151 says why
// not to. Both sides.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { Authenticator, Verdict } from '../accounts/authenticator.js';

/**
 * @param timestamp with its angle brackets, as in the greeting
 * @returns 32 lower-case hexadecimal digits
 */
export function apopDigest(timestamp: string, password: Buffer): string {
  return createHash('md5').update(timestamp, 'latin1').update(password).digest('hex');
}

/**
 * Verifies an APOP command.
 *
 * @param name login name as sent
 * @param digest as sent; anything but 32 lower-case hexadecimal digits is wrong
 */
export async function verifyApop(
  authenticator: Authenticator,
  { name, timestamp, digest }: { name: Buffer; timestamp: string; digest: Buffer },
): Promise<Verdict> {
  const lookup = await authenticator.lookUpPlain(name);
  if (lookup.found === 'unavailable') {
    const { isLasting, reason } = lookup;
    return { verdict: 'unavailable', isLasting, reason };
  }
  const password = lookup.found === 'password' ? lookup.password : Buffer.alloc(16);
  const expected = Buffer.from(apopDigest(timestamp, password));
  const matches = digest.length === expected.length && timingSafeEqual(digest, expected);
  if (lookup.found === 'nothing') return { verdict: 'rejected', reason: lookup.reason };
  return matches
    ? { verdict: 'accepted', identity: lookup.identity }
    : { verdict: 'rejected', reason: 'wrong password' };
}
