// Verifies passwords against stored ones, and makes new stored ones. Every scheme's library loads at its first use;
// nothing that takes long runs on the event loop. Limits on concurrency are hash-queue.ts's.

import { createHash, pbkdf2, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { Algorithm } from '@node-rs/argon2';
import { saslprep } from './saslprep.js';
import { deriveScramCredentials } from './scram-keys.js';
import type { StoredPassword } from './stored-password.js';

const pbkdf2Async = promisify(pbkdf2);

/** The schemes that new passwords can be stored in; the first is the default. All are Dovecot's names and layouts. */
export const writableSchemes = [
  'ARGON2ID',
  'BLF-CRYPT',
  'SHA512-CRYPT',
  'SHA256-CRYPT',
  'SSHA256',
  'PBKDF2',
  'SCRAM-SHA-256',
  'PLAIN',
] as const;

export type WritableScheme = (typeof writableSchemes)[number];

/** What new passwords cost to verify: 20 to 200 ms of one core, but for the last, which the client computes too. */
export const newPasswordCosts = {
  /** KiB, passes, lanes: the least that OWASP recommends. */
  argon2: { memoryCost: 19_456, timeCost: 2, parallelism: 1 },
  bcrypt: 12,
  shaCryptRounds: 5000,
  pbkdf2Rounds: 200_000,
  scramIterations: 10_000,
} as const;

/** The library's numbers for them; the names of its enumeration do not exist at run time. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
const argon2Variants = { argon2i: 1 as Algorithm, argon2id: 2 as Algorithm };

/** Where two values are compared as if they were of one length. */
const roomOctets = 512;
const rooms = [Buffer.alloc(roomOctets), Buffer.alloc(roomOctets)] as const;

/** A password that a scheme cannot hold; the message says why. */
export class UnstorablePasswordError extends Error {}

/** bcrypt looks at no more than this; two long passwords with the same beginning would be one. */
const maxBcryptOctets = 72;

/**
 * Verifies a password in time that depends on the stored password's scheme and cost only.
 *
 * @param password octets as the client sent them; an empty one fits nothing, whatever is stored, nor does one with a NUL,
 *   because crypt(3) would stop there
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
    case 'sha-crypt': {
      const { shaCrypt } = await import('./sha-crypt.js');
      const digestStart = stored.hash.lastIndexOf('$') + 1;
      const hash = await shaCrypt(password, stored.hash.slice(0, digestStart - 1));
      return isEqual(hash.slice(hash.lastIndexOf('$') + 1), stored.hash.slice(digestStart));
    }
    case 'salted-digest': {
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

/**
 * Makes a stored password, as the column of the database holds it.
 *
 * @throws UnstorablePasswordError for an empty password, one with a NUL, one over bcrypt's 72 octets, or one that
 *   SASLprep prohibits (SCRAM-SHA-256)
 */
export async function hashPassword(scheme: WritableScheme, password: Buffer): Promise<string> {
  if (password.length === 0) throw new UnstorablePasswordError('the password is empty');
  if (password.includes(0)) throw new UnstorablePasswordError('the password contains a NUL');
  switch (scheme) {
    case 'ARGON2ID': {
      const { hash } = await import('@node-rs/argon2');
      return `{ARGON2ID}${await hash(password, newPasswordCosts.argon2)}`;
    }
    case 'BLF-CRYPT': {
      if (password.length > maxBcryptOctets) {
        throw new UnstorablePasswordError(
          `the password is over ${maxBcryptOctets} octets, which BLF-CRYPT would cut off`,
        );
      }
      const { hash } = await import('@node-rs/bcrypt');
      return `{BLF-CRYPT}${await hash(password, newPasswordCosts.bcrypt)}`;
    }
    case 'SHA512-CRYPT':
    case 'SHA256-CRYPT': {
      const { shaCrypt } = await import('./sha-crypt.js');
      const id = scheme === 'SHA512-CRYPT' ? 6 : 5;
      return `{${scheme}}${await shaCrypt(password, `$${id}$rounds=${newPasswordCosts.shaCryptRounds}$${randomSalt(16)}`)}`;
    }
    case 'SSHA256': {
      const salt = randomBytes(16);
      const digest = createHash('sha256').update(password).update(salt).digest();
      return `{SSHA256}${Buffer.concat([digest, salt]).toString('base64')}`;
    }
    case 'PBKDF2': {
      const salt = randomSalt(16);
      const rounds = newPasswordCosts.pbkdf2Rounds;
      const key = await pbkdf2Async(password, salt, rounds, 20, 'sha1');
      return `{PBKDF2}$1$${salt}$${rounds}$${key.toString('hex')}`;
    }
    case 'SCRAM-SHA-256':
      return hashScram(password);
    case 'PLAIN':
      return formatPlain(password);
  }
}

async function hashScram(password: Buffer): Promise<string> {
  const prepared = await saslprep(password, 'stored');
  if (prepared === null) {
    throw new UnstorablePasswordError('the password holds characters that SASLprep prohibits');
  }
  const { salt, iterations, storedKey, serverKey } = await deriveScramCredentials(
    prepared,
    randomBytes(16),
    newPasswordCosts.scramIterations,
  );
  const values = [salt, storedKey, serverKey].map((value) => value.toString('base64'));
  return `{SCRAM-SHA-256}${iterations},${values.join(',')}`;
}

/** A column of text holds only valid UTF-8 unchanged; other octets go in as base64. */
function formatPlain(password: Buffer): string {
  const text = password.toString('utf8');
  return Buffer.from(text).equals(password)
    ? `{PLAIN}${text}`
    : `{PLAIN.b64}${password.toString('base64')}`;
}

const saltAlphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function randomSalt(length: number): string {
  return Array.from({ length }, () => saltAlphabet[randomInt(saltAlphabet.length)]).join('');
}

/** Compares the two as if they were of one length, or their digests, so that neither contents nor lengths show in the time it takes. */
function isEqual(one: Buffer | string, other: Buffer | string): boolean {
  const values = [one, other].map((value) => (Buffer.isBuffer(value) ? value : Buffer.from(value)));
  const [first, second] = values as [Buffer, Buffer];
  if (first.length > roomOctets || second.length > roomOctets) {
    const digest = (value: Buffer): Buffer => createHash('sha256').update(value).digest();
    return timingSafeEqual(digest(first), digest(second));
  }
  for (const [index, room] of rooms.entries()) {
    room.fill(0);
    values[index]?.copy(room);
  }
  const isSame = timingSafeEqual(...rooms) && first.length === second.length;
  for (const room of rooms) room.fill(0);
  return isSame;
}
