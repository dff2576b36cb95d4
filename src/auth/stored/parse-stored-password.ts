// Passwords as the database stores them: crypt(3) strings and Dovecot's `{SCHEME}…`, taken apart
// and checked, so that what verifies them never meets an unknown scheme, a malformed value or an
// absurd cost. Pure.

import { tryBase64 } from '../../wire/base64.js';
import { costCeilings, requireCost } from './cost-ceilings.js';
import { parseCrypt } from './crypt-string.js';
import type { DigestAlgorithm, StoredPassword } from './stored-password.js';
import { malformed, UnusablePasswordError } from './unusable-password.js';

export { UnusablePasswordError };

export type { StoredPassword };

export interface ParseOptions {
  /** Whether schemes are verified that are weak: fast, unsalted or broken. */
  readonly allowsWeakSchemes?: boolean | undefined;
}

/**
 * The schemes that are verified, by Dovecot's names; `yescrypt` and `scrypt` have none there and
 * are `CRYPT`.
 */
export const verifiableSchemes = [
  'ARGON2ID',
  'ARGON2I',
  'BLF-CRYPT',
  'SHA512-CRYPT',
  'SHA256-CRYPT',
  'CRYPT',
  'SSHA256',
  'SSHA512',
  'PBKDF2',
  'SCRAM-SHA-256',
  'PLAIN',
] as const;

/** The digests whose name is a scheme, with the octets of each. */
const digestSchemes: Readonly<
  Record<
    string,
    {
      readonly algorithm: DigestAlgorithm;
      readonly octets: number;
      readonly isSalted: boolean;
      readonly isWeak: boolean;
    }
  >
> = {
  SSHA256: { algorithm: 'sha256', octets: 32, isSalted: true, isWeak: false },
  SSHA512: { algorithm: 'sha512', octets: 64, isSalted: true, isWeak: false },
  SSHA: { algorithm: 'sha1', octets: 20, isSalted: true, isWeak: true },
  SMD5: { algorithm: 'md5', octets: 16, isSalted: true, isWeak: true },
  SHA512: { algorithm: 'sha512', octets: 64, isSalted: false, isWeak: true },
  SHA256: { algorithm: 'sha256', octets: 32, isSalted: false, isWeak: true },
  SHA: { algorithm: 'sha1', octets: 20, isSalted: false, isWeak: true },
  SHA1: { algorithm: 'sha1', octets: 20, isSalted: false, isWeak: true },
  'PLAIN-MD5': { algorithm: 'md5', octets: 16, isSalted: false, isWeak: true },
  'LDAP-MD5': { algorithm: 'md5', octets: 16, isSalted: false, isWeak: true },
};

/** The schemes that are verified only where the administrator says so. */
export const weakSchemes: readonly string[] = [
  'MD5-CRYPT',
  'DES-CRYPT',
  ...Object.keys(digestSchemes).filter((name) => digestSchemes[name]?.isWeak === true),
];

/** Longest stored value that is looked at, in characters. */
const maxStoredLength = 2048;

/**
 * Takes a stored password apart.
 *
 * @param text `{SCHEME}value`, `{SCHEME.b64}value`, `{SCHEME.hex}value`, or a bare crypt(3) string
 * @throws UnusablePasswordError for a scheme that is not verified here, a malformed value or a cost
 *   above the ceilings
 */
export function parseStoredPassword(text: string, options: ParseOptions = {}): StoredPassword {
  if (text.length > maxStoredLength) throw new UnusablePasswordError('stored password too long');
  // What a database's driver makes of other octets: any of them would fit.
  if (text.includes('\ufffd')) throw new UnusablePasswordError('stored password is not UTF-8');
  const requireStrength = (scheme: string): void => {
    if (options.allowsWeakSchemes === true) return;
    throw new UnusablePasswordError(
      `password scheme ${scheme} is weak, and verified only with --allow-weak-schemes`,
    );
  };
  const prefixed = /^\{([A-Za-z0-9-]+)(?:\.([A-Za-z0-9]+))?\}(.*)$/s.exec(text);
  if (prefixed === null) return parseCrypt(text, 'CRYPT', requireStrength);
  const [, name = '', encoding, value = ''] = prefixed;
  const scheme = name.toUpperCase();
  const raw = encoding === undefined ? null : decode(value, encoding, scheme);
  const asText = raw === null ? value : raw.toString('utf8');
  switch (scheme) {
    case 'CRYPT':
    case 'ARGON2':
    case 'ARGON2ID':
    case 'ARGON2I':
    case 'BLF-CRYPT':
    case 'SHA512-CRYPT':
    case 'SHA256-CRYPT':
    case 'MD5-CRYPT':
    case 'DES-CRYPT':
      return parseCrypt(asText, scheme, requireStrength);
    case 'PBKDF2':
      return parsePbkdf2(asText);
    case 'SCRAM-SHA-256':
      return parseScram(asText);
    case 'PLAIN':
    case 'CLEAR':
    case 'CLEARTEXT':
      return parsePlain(raw ?? Buffer.from(value));
    default: {
      const digest = digestSchemes[scheme];
      if (digest === undefined) {
        throw new UnusablePasswordError(`password scheme ${scheme} is not supported`);
      }
      if (digest.isWeak) requireStrength(scheme);
      return parseDigest(digest, raw ?? decodeDigest(value, scheme), scheme);
    }
  }
}

/**
 * Whether a stored password fits nothing on purpose, as in shadow(5): `*`, or `!` in front of a
 * crypt(3) string.
 */
export function isLockedPassword(text: string): boolean {
  return /^(?:\{CRYPT\})?[*!]/i.test(text);
}

/**
 * The scheme of a stored password, for people: `CRYPT` stands for crypt(3) strings of any kind;
 * never part of the value.
 */
export function schemeOf(text: string): string {
  return /^\{([A-Za-z0-9.-]+)\}/.exec(text)?.[1]?.toUpperCase() ?? 'CRYPT';
}

/** SCRAM and APOP never see the password itself: an empty one must not get as far as that. */
function parsePlain(password: Buffer): StoredPassword {
  if (password.length === 0) throw new UnusablePasswordError('stored PLAIN password is empty');
  return { kind: 'plain', password };
}

function parseDigest(
  {
    algorithm,
    octets,
    isSalted,
  }: { algorithm: DigestAlgorithm; octets: number; isSalted: boolean },
  raw: Buffer,
  scheme: string,
): StoredPassword {
  if (isSalted ? raw.length <= octets : raw.length !== octets) throw malformed(scheme);
  return {
    kind: 'digest',
    algorithm,
    digest: raw.subarray(0, octets),
    salt: raw.subarray(octets),
  };
}

/** In base64, or, as Dovecot has it too where there is no salt, in hexadecimal digits. */
function decodeDigest(value: string, scheme: string): Buffer {
  const { octets, isSalted } = digestSchemes[scheme] ?? { octets: 0, isSalted: true };
  return decode(value, !isSalted && value.length === 2 * octets ? 'hex' : 'b64', scheme);
}

/** Dovecot's own layout: `$1$salt$rounds$key`, HMAC-SHA-1, a key of 20 octets in hexadecimal. */
function parsePbkdf2(value: string): StoredPassword {
  const parts = /^\$1\$([^$]{1,64})\$([0-9]{1,9})\$([0-9a-fA-F]{40})$/.exec(value);
  const rounds = Number(parts?.[2] ?? 0);
  if (parts === null || rounds < 1) throw malformed('PBKDF2');
  requireCost('PBKDF2', `${rounds} rounds`, [rounds, costCeilings.pbkdf2Rounds]);
  return { kind: 'pbkdf2', salt: parts[1] ?? '', rounds, key: Buffer.from(parts[3] ?? '', 'hex') };
}

/**
 * Dovecot's layout of RFC 5802 §3's values: `iterations,salt,StoredKey,ServerKey`, the last three
 * in base64.
 */
function parseScram(value: string): StoredPassword {
  const parts = /^([0-9]{1,9}),([^,]+),([^,]+),([^,]+)$/.exec(value);
  if (parts === null) throw malformed('SCRAM-SHA-256');
  const iterations = Number(parts[1]);
  requireCost('SCRAM-SHA-256', `${iterations} iterations`, [
    iterations,
    costCeilings.scramIterations,
  ]);
  const [salt, storedKey, serverKey] = parts
    .slice(2)
    .map((part) => decode(part, 'b64', 'SCRAM-SHA-256')) as [Buffer, Buffer, Buffer];
  if (iterations < 1 || storedKey.length !== 32 || serverKey.length !== 32) {
    throw malformed('SCRAM-SHA-256');
  }
  return { kind: 'scram', credentials: { salt, iterations, storedKey, serverKey } };
}

/** Buffer.from skips what it does not understand; a cut-off value must not become a shorter one. */
function decode(value: string, encoding: string, scheme: string): Buffer {
  switch (encoding.toLowerCase()) {
    case 'b64':
    case 'base64': {
      // base64(1) and similar programs break lines.
      const octets = tryBase64(value.replace(/[\r\n]/g, ''));
      if (octets === null) break;
      return octets;
    }
    case 'hex':
      if (!/^(?:[0-9a-fA-F]{2})*$/.test(value)) break;
      return Buffer.from(value, 'hex');
    default:
      throw new UnusablePasswordError(
        `encoding ${encoding.slice(0, 16)} of password scheme ${scheme} is not supported`,
      );
  }
  throw malformed(scheme);
}
