// The keys of SCRAM-SHA-256 (RFC 5802 §3 with RFC 7677): what server, client and password database
// derive from a password.

import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { ScramCredentials } from '../accounts/authenticator.js';

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

/** `ServerSignature`, which only who knows the ServerKey can make. */
export function serverSignature(serverKey: Buffer, signed: string): Buffer {
  return hmac(serverKey, signed);
}

/** `ClientProof`, from the salted password. */
export function clientProof(salted: Buffer, signed: string): Buffer {
  const clientKey = hmac(salted, 'Client Key');
  return xor(clientKey, hmac(hash(clientKey), signed));
}

/** Whether a proof was made by who knows the password; in constant time. */
export function isClientProof(storedKey: Buffer, signed: string, proof: Buffer): boolean {
  if (proof.length !== storedKey.length) return false;
  const clientKey = xor(proof, hmac(storedKey, signed));
  return timingSafeEqual(hash(clientKey), storedKey);
}

function xor(one: Buffer, other: Buffer): Buffer {
  return Buffer.from(one.map((byte, index) => byte ^ (other[index] ?? 0)));
}
