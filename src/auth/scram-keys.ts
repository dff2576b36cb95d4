// The keys of SCRAM-SHA-256 (RFC 5802 §3 with RFC 7677): what server, client and password database derive from a password.

import { createHash, createHmac, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import type { ScramCredentials } from './authenticator.js';

const pbkdf2Async = promisify(pbkdf2);

/** `Hi(password, salt, iterations)`; on libuv's threads. The password is prepared already. */
export function saltedPassword(
  password: Buffer,
  salt: Buffer,
  iterations: number,
): Promise<Buffer> {
  return pbkdf2Async(password, salt, iterations, 32, 'sha256');
}

/** `HMAC(key, text)` */
export function hmac(key: Buffer, text: string | Buffer): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** `H(text)` */
export function hash(text: Buffer): Buffer {
  return createHash('sha256').update(text).digest();
}

/** What a server keeps of a password. */
export async function deriveScramCredentials(
  password: Buffer,
  salt: Buffer,
  iterations: number,
): Promise<ScramCredentials> {
  const salted = await saltedPassword(password, salt, iterations);
  const storedKey = hash(hmac(salted, 'Client Key'));
  return { salt, iterations, storedKey, serverKey: hmac(salted, 'Server Key') };
}
