// Makes stored passwords. Every scheme's library loads at its first use; nothing that takes long
// runs on the event loop.

import { createHash, pbkdf2, randomBytes, randomInt } from 'node:crypto';
import { promisify } from 'node:util';
import { saslprep } from './saslprep.js';
import { deriveScramCredentials } from './scram-keys.js';

const pbkdf2Async = promisify(pbkdf2);

/**
 * The schemes that new passwords can be stored in; the first is the default. All are Dovecot's
 * names and layouts.
 */
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

/**
 * What new passwords cost to verify: 20 to 200 ms of one core, but for the last, which the client
 * computes too.
 */
export const newPasswordCosts = {
  /** KiB, passes, lanes: the least that OWASP recommends. */
  argon2: { memoryCost: 19_456, timeCost: 2, parallelism: 1 },
  bcrypt: 12,
  shaCryptRounds: 5000,
  pbkdf2Rounds: 200_000,
  scramIterations: 10_000,
} as const;

/** A password that a scheme cannot hold; the message says why. */
export class UnstorablePasswordError extends Error {}

/** bcrypt looks at no more than this; two long passwords with the same beginning would be one. */
export const maxBcryptOctets = 72;

/**
 * Makes a stored password, as the column of the database holds it.
 *
 * @throws UnstorablePasswordError for an empty password, one with a NUL, one over bcrypt's 72
 *   octets, or one that SASLprep prohibits (SCRAM-SHA-256)
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
      const { shaCryptOnThread } = await import('./sha-crypt-worker.js');
      const id = scheme === 'SHA512-CRYPT' ? 6 : 5;
      return `{${scheme}}${await shaCryptOnThread(password, `$${id}$rounds=${newPasswordCosts.shaCryptRounds}$${randomSalt(16)}`)}`;
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

/**
 * Makes a stored password for SCRAM-SHA-256.
 *
 * @param look salt and iterations; a user's passwords that have the same can all be used with SCRAM
 * @throws UnstorablePasswordError for what SASLprep prohibits
 */
export async function hashScram(password: Buffer, look = newScramLook()): Promise<string> {
  const prepared = await saslprep(password, 'stored');
  if (prepared === null) {
    throw new UnstorablePasswordError('the password holds characters that SASLprep prohibits');
  }
  const { salt, iterations, storedKey, serverKey } = await deriveScramCredentials(
    prepared,
    look.salt,
    look.iterations,
  );
  const values = [salt, storedKey, serverKey].map((value) => value.toString('base64'));
  return `{SCRAM-SHA-256}${iterations},${values.join(',')}`;
}

export function newScramLook(): { readonly salt: Buffer; readonly iterations: number } {
  return { salt: randomBytes(16), iterations: newPasswordCosts.scramIterations };
}

/** A column of text holds only valid UTF-8 unchanged; other octets go in as base64. */
export function formatPlain(password: Buffer): string {
  const text = password.toString('utf8');
  return Buffer.from(text).equals(password)
    ? `{PLAIN}${text}`
    : `{PLAIN.b64}${password.toString('base64')}`;
}

const saltAlphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function randomSalt(length: number): string {
  return Array.from({ length }, () => saltAlphabet[randomInt(saltAlphabet.length)]).join('');
}

/** A stored password as expensive as new ones, that fits nothing. */
export function unmatchablePassword(): string {
  const { memoryCost, timeCost, parallelism } = newPasswordCosts.argon2;
  const [salt, tag] = [randomBytes(16), randomBytes(32)].map((bytes) =>
    bytes.toString('base64').replaceAll('=', ''),
  ) as [string, string];
  return `{ARGON2ID}$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${salt}$${tag}`;
}
