// APOP (RFC 1939 §7): MD5 over the greeting's timestamp and the password. Old; RFC 6151 says why
// not to. Both sides.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { Authenticator, Verdict } from '../accounts/authenticator.js';
import type { LoginClient } from '../accounts/login-client.js';

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
  client?: LoginClient,
): Promise<Verdict> {
  const lookup = await authenticator.lookUpPlain(name, client);
  if (lookup.found === 'unavailable') return { ...lookup, verdict: 'unavailable' };
  const isDigestOf = (password: Buffer): boolean => {
    const expected = Buffer.from(apopDigest(timestamp, password));
    return digest.length === expected.length && timingSafeEqual(digest, expected);
  };
  if (lookup.found === 'nothing') {
    isDigestOf(Buffer.alloc(16));
    return { verdict: 'rejected', reason: lookup.reason };
  }
  const { identity, passwords, mismatch } = lookup;
  const [found] = passwords.filter(({ password }) => isDigestOf(password));
  return found?.refusal === null
    ? { verdict: 'accepted', identity, grant: found.grant }
    : { verdict: 'rejected', reason: found?.refusal ?? mismatch };
}
