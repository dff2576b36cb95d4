// Verifies passwords against stored ones. Every scheme's library loads at its first use;
// nothing that takes long runs on the event loop. Limits on concurrency are hash-queue.ts's.

import { createHash, pbkdf2, scrypt, type ScryptOptions } from 'node:crypto';
import { promisify } from 'node:util';
import type { Algorithm } from '@node-rs/argon2';
import { maxBcryptOctets } from './make-password.js';
import { isEqual } from './password-octets.js';
import { deriveScramCredentials } from './scram-keys.js';
import type { StoredPassword } from './parse-stored-password.js';
import { SystemCryptMissing, systemCrypt } from './system-crypt.js';
import { UnusablePasswordError } from './unusable-password.js';

const pbkdf2Async = promisify(pbkdf2);
const scryptAsync = promisify<Buffer, string, number, ScryptOptions, Buffer>(scrypt);

/** The library's numbers for them; the names of its enumeration do not exist at run time. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
const argon2Variants = { argon2i: 1 as Algorithm, argon2id: 2 as Algorithm };

/**
 * Above this many rounds, starting the system's crypt(3) costs less than it saves: 656,000 rounds
 * of SHA512-CRYPT take 0.35 s there and 2.4 s on the thread.
 */
const maxShaCryptRoundsHere = 20_000;

/**
 * Verifies a password in time that depends on the stored password's scheme and cost only.
 *
 * @param password octets as the client sent them; an empty one fits nothing, whatever is stored,
 *   nor does one with a NUL, because crypt(3) would stop there
 * @throws Error when a library fails; nothing is decided then
 */
export async function verifyPassword(stored: StoredPassword, password: Buffer): Promise<boolean> {
  const matches = await verifyOctets(stored, password);
  return matches && password.length > 0 && !password.includes(0);
}

async function verifyOctets(stored: StoredPassword, password: Buffer): Promise<boolean> {
  switch (stored.kind) {
    case 'argon2': {
      // The library's own verify throws for passwords that are not UTF-8.
      const { hashRaw } = await import('@node-rs/argon2');
      const tag = await hashRaw(password, {
        algorithm: argon2Variants[stored.variant],
        memoryCost: stored.memory,
        timeCost: stored.passes,
        parallelism: stored.lanes,
        salt: stored.salt,
        outputLen: stored.tag.length,
      });
      return isEqual(tag, stored.tag);
    }
    case 'bcrypt': {
      const { verify } = await import('@node-rs/bcrypt');
      const matches = await verify(password.subarray(0, maxBcryptOctets), stored.hash);
      return matches && password.length <= maxBcryptOctets;
    }
    case 'sha-crypt':
      return isEqual(digestOf(await hashShaCrypt(password, stored)), digestOf(stored.hash));
    case 'system-crypt':
      return (
        isEqual(await hashBySystem(password, stored), stored.hash) && !isCutOff(stored, password)
      );
    case 'scrypt': {
      const { cost, blockSize, parallelization, salt, key } = stored;
      // Twice what it needs (RFC 7914 §2); the default limit is 32 MiB.
      const maxmem = 256 * blockSize * (cost + parallelization);
      const options = { cost, blockSize, parallelization, maxmem };
      return isEqual(await scryptAsync(password, salt, key.length, options), key);
    }
    case 'digest': {
      const digest = createHash(stored.algorithm).update(password).update(stored.salt).digest();
      return isEqual(digest, stored.digest);
    }
    case 'pbkdf2':
      return isEqual(
        await pbkdf2Async(password, stored.salt, stored.rounds, stored.key.length, 'sha1'),
        stored.key,
      );
    case 'scram': {
      const { salt, iterations, storedKey } = stored.credentials;
      return isEqual(
        (await deriveScramCredentials(password, salt, iterations)).storedKey,
        storedKey,
      );
    }
    case 'plain':
      return isEqual(password, stored.password);
  }
}

/** As with other bcrypt hashes: a longer password with the same beginning does not fit. */
function isCutOff(
  { scheme }: Extract<StoredPassword, { kind: 'system-crypt' }>,
  password: Buffer,
): boolean {
  return scheme === 'BLF-CRYPT' && password.length > maxBcryptOctets;
}

/** What follows the last `$`. */
function digestOf(hash: string): string {
  return hash.slice(hash.lastIndexOf('$') + 1);
}

async function hashShaCrypt(
  password: Buffer,
  { hash, rounds }: Extract<StoredPassword, { kind: 'sha-crypt' }>,
): Promise<string> {
  if (rounds > maxShaCryptRoundsHere) {
    try {
      return await systemCrypt(password, hash);
    } catch (error) {
      // Without it, or with an odd password or salt that it does not take: the thread computes the
      // same.
      if (!(error instanceof SystemCryptMissing)) throw error;
    }
  }
  const { shaCryptOnThread } = await import('./sha-crypt-worker.js');
  return shaCryptOnThread(password, hash);
}

async function hashBySystem(
  password: Buffer,
  { scheme, hash }: Extract<StoredPassword, { kind: 'system-crypt' }>,
): Promise<string> {
  try {
    return await systemCrypt(password, hash);
  } catch (error) {
    if (!(error instanceof SystemCryptMissing)) throw error;
    throw new UnusablePasswordError(
      `stored ${scheme} password cannot be verified: ${error.message}`,
    );
  }
}
