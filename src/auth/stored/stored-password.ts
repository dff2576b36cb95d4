// Passwords as the database stores them: crypt(3) strings and Dovecot's `{SCHEME}…`, taken apart and checked, so that what
// verifies them never meets an unknown scheme, a malformed value or an absurd cost. Pure.

import type { ScramCredentials } from '../accounts/authenticator.js';

export type StoredPassword =
  | {
      readonly kind: 'argon2';
      readonly variant: 'argon2i' | 'argon2id';
      /** KiB. */
      readonly memory: number;
      readonly passes: number;
      readonly lanes: number;
      readonly salt: Buffer;
      readonly tag: Buffer;
    }
  | { readonly kind: 'bcrypt'; readonly hash: string }
  | { readonly kind: 'sha-crypt'; readonly hash: string }
  | {
      readonly kind: 'salted-digest';
      readonly algorithm: 'sha256' | 'sha512';
      readonly digest: Buffer;
      readonly salt: Buffer;
    }
  | {
      readonly kind: 'pbkdf2';
      readonly salt: string;
      readonly rounds: number;
      readonly key: Buffer;
    }
  | { readonly kind: 'scram'; readonly credentials: ScramCredentials }
  | { readonly kind: 'plain'; readonly password: Buffer };

/** A stored password that nothing can be verified against; the message names the scheme and never the value. */
export class UnusablePasswordError extends Error {}

/**
 * The most that one verification may cost, about two seconds of one core each. Whoever can write the database could
 * otherwise stop the server with a single row.
 */
export const costCeilings = {
  /** KiB of memory, and KiB times passes. */
  argon2Memory: 262_144,
  argon2Work: 1_048_576,
  argon2Lanes: 16,
  /** Base 2 logarithm of the rounds. */
  bcrypt: 14,
  shaCryptRounds: 500_000,
  pbkdf2Rounds: 5_000_000,
  scramIterations: 2_000_000,
} as const;

/** The schemes that stored passwords are verified in, by Dovecot's names. */
export const verifiableSchemes = [
  'ARGON2ID',
  'ARGON2I',
  'BLF-CRYPT',
  'SHA512-CRYPT',
  'SHA256-CRYPT',
  'SSHA256',
  'SSHA512',
  'PBKDF2',
  'SCRAM-SHA-256',
  'PLAIN',
] as const;

/** Longest stored value that is looked at, in characters. */
const maxStoredLength = 2048;

/**
 * Takes a stored password apart.
 *
 * @param text `{SCHEME}value`, `{SCHEME.b64}value`, `{SCHEME.hex}value`, or a bare crypt(3) string
 * @throws UnusablePasswordError for a scheme that is not verified here, a malformed value or a cost above the ceilings
 */
export function parseStoredPassword(text: string): StoredPassword {
  if (text.length > maxStoredLength) throw new UnusablePasswordError('stored password too long');
  const prefixed = /^\{([A-Za-z0-9-]+)(?:\.([A-Za-z0-9]+))?\}(.*)$/s.exec(text);
  if (prefixed === null) return parseCrypt(text, 'CRYPT');
  const [, name = '', encoding, value = ''] = prefixed;
  const scheme = name.toUpperCase();
  const raw = encoding === undefined ? null : decode(value, encoding, scheme);
  const asText = raw === null ? value : raw.toString('utf8');
  switch (scheme) {
    case 'CRYPT':
    case 'ARGON2ID':
    case 'ARGON2I':
    case 'BLF-CRYPT':
    case 'SHA512-CRYPT':
    case 'SHA256-CRYPT':
      return parseCrypt(asText, scheme);
    case 'SSHA256':
      return parseSaltedDigest('sha256', 32, raw ?? decode(value, 'b64', scheme), scheme);
    case 'SSHA512':
      return parseSaltedDigest('sha512', 64, raw ?? decode(value, 'b64', scheme), scheme);
    case 'PBKDF2':
      return parsePbkdf2(asText);
    case 'SCRAM-SHA-256':
      return parseScram(asText);
    case 'PLAIN':
    case 'CLEAR':
    case 'CLEARTEXT':
      return parsePlain(raw ?? Buffer.from(value));
    default:
      throw new UnusablePasswordError(`password scheme ${scheme} is not supported`);
  }
}

/** The scheme of a stored password, for people: `CRYPT` stands for crypt(3) strings of any kind; never part of the value. */
export function schemeOf(text: string): string {
  return /^\{([A-Za-z0-9.-]+)\}/.exec(text)?.[1]?.toUpperCase() ?? 'CRYPT';
}

/** What decides how long verifying takes, as text: equal for two stored passwords that take equally long. */
export function costOf(stored: StoredPassword): string {
  switch (stored.kind) {
    case 'argon2':
      return `${stored.variant} ${stored.memory} ${stored.passes} ${stored.lanes}`;
    case 'bcrypt':
    case 'sha-crypt':
      return `${stored.kind} ${/^\$[^$]+\$(?:rounds=[0-9]+|[0-9]{2}(?=\$))?/.exec(stored.hash)?.[0] ?? ''}`;
    case 'salted-digest':
      return `${stored.kind} ${stored.algorithm}`;
    case 'pbkdf2':
      return `${stored.kind} ${stored.rounds}`;
    case 'scram':
      return `${stored.kind} ${stored.credentials.iterations}`;
    case 'plain':
      return stored.kind;
  }
}

/** The names that `$…$` prefixes stand for, where Dovecot has a name for them. */
const cryptNames: Readonly<Record<string, string>> = {
  '1': 'MD5-CRYPT',
  y: 'yescrypt',
  gy: 'gost-yescrypt',
  '7': 'scrypt',
  md5: 'SunMD5',
  '3': 'NT',
};

function parseCrypt(hash: string, scheme: string): StoredPassword {
  const id = /^\$([A-Za-z0-9-]{1,16})[$,]/.exec(hash)?.[1] ?? '';
  switch (id) {
    case 'argon2id':
    case 'argon2i':
      return parseArgon2(hash);
    case '2a':
    case '2b':
    case '2y':
      return parseBcrypt(hash);
    case '5':
    case '6':
      return parseShaCrypt(hash);
    default: {
      const isNamed = scheme !== 'CRYPT';
      const name = cryptNames[id] ?? (id === '' ? 'DES or none' : `$${id}$`);
      throw new UnusablePasswordError(
        isNamed ? malformed(scheme).message : `crypt(3) password of type ${name} is not supported`,
      );
    }
  }
}

function parseArgon2(hash: string): StoredPassword {
  const parts =
    /^\$(argon2id?)\$v=19\$m=([0-9]{1,8}),t=([0-9]{1,5}),p=([0-9]{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/.exec(
      hash,
    );
  if (parts === null) throw malformed('ARGON2');
  const [memory, passes, lanes] = parts.slice(2, 5).map(Number) as [number, number, number];
  if (
    memory > costCeilings.argon2Memory ||
    memory * passes > costCeilings.argon2Work ||
    lanes > costCeilings.argon2Lanes
  ) {
    throw tooCostly('ARGON2', `m=${memory},t=${passes},p=${lanes}`);
  }
  // RFC 9106 §3.1: at least 8 KiB for each lane, one pass, one lane.
  if (lanes < 1 || passes < 1 || memory < 8 * lanes) throw malformed('ARGON2');
  const [salt, tag] = parts.slice(5).map((part) => Buffer.from(part, 'base64')) as [Buffer, Buffer];
  const variant = parts[1] === 'argon2i' ? 'argon2i' : 'argon2id';
  return { kind: 'argon2', variant, memory, passes, lanes, salt, tag };
}

function parseBcrypt(hash: string): StoredPassword {
  // 22 characters of salt, of which the last holds two bits, and 31 of hash.
  const parts = /^\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}$/.exec(hash);
  const cost = Number(parts?.[1] ?? NaN);
  if (!(cost >= 4 && cost <= 31)) throw malformed('BLF-CRYPT');
  if (cost > costCeilings.bcrypt) throw tooCostly('BLF-CRYPT', `cost ${cost}`);
  return { kind: 'bcrypt', hash };
}

function parseShaCrypt(hash: string): StoredPassword {
  const parts =
    /^\$(?:5\$(?:rounds=([0-9]{1,9})\$)?[./0-9A-Za-z]{0,16}\$[./0-9A-Za-z]{43}|6\$(?:rounds=([0-9]{1,9})\$)?[./0-9A-Za-z]{0,16}\$[./0-9A-Za-z]{86})$/.exec(
      hash,
    );
  const scheme = hash.startsWith('$5$') ? 'SHA256-CRYPT' : 'SHA512-CRYPT';
  if (parts === null) throw malformed(scheme);
  const rounds = Number(parts[1] ?? parts[2] ?? 5000);
  if (rounds > costCeilings.shaCryptRounds) throw tooCostly(scheme, `${rounds} rounds`);
  return { kind: 'sha-crypt', hash };
}

/** SCRAM and APOP never see the password itself: an empty one must not get as far as that. */
function parsePlain(password: Buffer): StoredPassword {
  if (password.length === 0) throw new UnusablePasswordError('stored PLAIN password is empty');
  return { kind: 'plain', password };
}

function parseSaltedDigest(
  algorithm: 'sha256' | 'sha512',
  digestOctets: number,
  raw: Buffer,
  scheme: string,
): StoredPassword {
  if (raw.length <= digestOctets) throw malformed(scheme);
  const digest = raw.subarray(0, digestOctets);
  return { kind: 'salted-digest', algorithm, digest, salt: raw.subarray(digestOctets) };
}

/** Dovecot's own layout: `$1$salt$rounds$key`, HMAC-SHA-1, a key of 20 octets in hexadecimal. */
function parsePbkdf2(value: string): StoredPassword {
  const parts = /^\$1\$([^$]{1,64})\$([0-9]{1,9})\$([0-9a-fA-F]{40})$/.exec(value);
  const rounds = Number(parts?.[2] ?? 0);
  if (parts === null || rounds < 1) throw malformed('PBKDF2');
  if (rounds > costCeilings.pbkdf2Rounds) throw tooCostly('PBKDF2', `${rounds} rounds`);
  return { kind: 'pbkdf2', salt: parts[1] ?? '', rounds, key: Buffer.from(parts[3] ?? '', 'hex') };
}

/** Dovecot's layout of RFC 5802 §3's values: `iterations,salt,StoredKey,ServerKey`, the last three in base64. */
function parseScram(value: string): StoredPassword {
  const parts = /^([0-9]{1,9}),([^,]+),([^,]+),([^,]+)$/.exec(value);
  if (parts === null) throw malformed('SCRAM-SHA-256');
  const iterations = Number(parts[1]);
  if (iterations > costCeilings.scramIterations) {
    throw tooCostly('SCRAM-SHA-256', `${iterations} iterations`);
  }
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
    case 'base64':
      if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value)) break;
      return Buffer.from(value, 'base64');
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

function malformed(scheme: string): UnusablePasswordError {
  return new UnusablePasswordError(`stored ${scheme} password is malformed`);
}

function tooCostly(scheme: string, cost: string): UnusablePasswordError {
  return new UnusablePasswordError(`stored ${scheme} password costs too much to verify (${cost})`);
}
