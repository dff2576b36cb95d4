// crypt(5) strings, taken apart and checked: `$id$…`, and DES. Pure.

import { costCeilings, requireCost } from './cost-ceilings.js';
import type { StoredPassword } from './stored-password.js';
import { malformed, UnusablePasswordError } from './unusable-password.js';

/** By what the string begins with; the names are Dovecot's where it has one. */
const cryptSchemes: Readonly<
  Record<
    string,
    { readonly name: string; readonly isWeak?: true; parse(hash: string): StoredPassword }
  >
> = {
  $argon2id$: { name: 'ARGON2ID', parse: parseArgon2 },
  $argon2i$: { name: 'ARGON2I', parse: parseArgon2 },
  $2a$: { name: 'BLF-CRYPT', parse: parseBcrypt },
  $2b$: { name: 'BLF-CRYPT', parse: parseBcrypt },
  $2y$: { name: 'BLF-CRYPT', parse: parseBcrypt },
  $2x$: { name: 'BLF-CRYPT', parse: parseBcrypt },
  $5$: { name: 'SHA256-CRYPT', parse: parseShaCrypt },
  $6$: { name: 'SHA512-CRYPT', parse: parseShaCrypt },
  $y$: { name: 'yescrypt', parse: parseYescrypt },
  $gy$: { name: 'gost-yescrypt', parse: parseYescrypt },
  $7$: { name: 'scrypt', parse: parseScrypt },
  $1$: { name: 'MD5-CRYPT', isWeak: true, parse: parseMd5Crypt },
};
const desCrypt = { name: 'DES-CRYPT', isWeak: true, parse: parseDesCrypt } as const;

/** Names of crypt(3) schemes that are not verified, where people know them by a name. */
const otherNames: Readonly<Record<string, string>> = {
  $3$: 'NT',
  $md5: 'SunMD5',
  $sha1$: 'sha1crypt',
};

/**
 * Takes a crypt(3) string apart.
 *
 * @param scheme what the database says that it is; `CRYPT` for any
 * @throws UnusablePasswordError
 */
export function parseCrypt(
  hash: string,
  scheme: string,
  requireStrength: (scheme: string) => void,
): StoredPassword {
  const start = /^\$(?:[A-Za-z0-9-]{1,16}\$|md5)/.exec(hash)?.[0];
  const found = start === undefined ? desCrypt : cryptSchemes[start];
  const isDes = found === desCrypt && /^(?:_[./0-9A-Za-z]{19}|[./0-9A-Za-z]{13})$/.test(hash);
  if (found === undefined || (found === desCrypt && !isDes)) {
    if (scheme !== 'CRYPT') throw malformed(scheme);
    const name = start === undefined ? 'DES or none' : (otherNames[start] ?? start);
    throw new UnusablePasswordError(`crypt(3) password of type ${name} is not supported`);
  }
  if (found.isWeak === true) requireStrength(found.name);
  return found.parse(hash);
}

function parseArgon2(hash: string): StoredPassword {
  const parts =
    /^\$(argon2id?)\$v=19\$m=([0-9]{1,8}),t=([0-9]{1,5}),p=([0-9]{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/.exec(
      hash,
    );
  if (parts === null) throw malformed('ARGON2');
  const [memory, passes, lanes] = parts.slice(2, 5).map(Number) as [number, number, number];
  requireCost(
    'ARGON2',
    `m=${memory},t=${passes},p=${lanes}`,
    [memory, costCeilings.memory],
    [memory * passes, costCeilings.memoryWork],
    [lanes, costCeilings.argon2Lanes],
  );
  // RFC 9106 §3.1: at least 8 KiB for each lane, one pass, one lane.
  if (lanes < 1 || passes < 1 || memory < 8 * lanes) throw malformed('ARGON2');
  const [salt, tag] = parts.slice(5).map((part) => Buffer.from(part, 'base64')) as [Buffer, Buffer];
  const variant = parts[1] === 'argon2i' ? 'argon2i' : 'argon2id';
  return { kind: 'argon2', variant, memory, passes, lanes, salt, tag };
}

function parseBcrypt(hash: string): StoredPassword {
  // 22 characters of salt, of which the last holds two bits, and 31 of hash.
  const parts = /^\$2([abxy])\$([0-9]{2})\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}$/.exec(hash);
  const cost = Number(parts?.[2] ?? NaN);
  if (!(cost >= 4 && cost <= 31)) throw malformed('BLF-CRYPT');
  requireCost('BLF-CRYPT', `cost ${cost}`, [cost, costCeilings.bcrypt]);
  // What programs made that took octets over 127 for negative numbers; the library does not know
  // it.
  return parts?.[1] === 'x'
    ? { kind: 'system-crypt', scheme: 'BLF-CRYPT', hash }
    : { kind: 'bcrypt', hash };
}

function parseShaCrypt(hash: string): StoredPassword {
  // What crypt(5) allows in a salt: printing ASCII but for a few.
  const salt = String.raw`[!-~]{0,16}`;
  const parts = new RegExp(
    `^\\$(?:5\\$(?:rounds=([0-9]{1,9})\\$)?(${salt})\\$[./0-9A-Za-z]{43}|6\\$(?:rounds=([0-9]{1,9})\\$)?(${salt})\\$[./0-9A-Za-z]{86})$`,
  ).exec(hash);
  const scheme = hash.startsWith('$5$') ? 'SHA256-CRYPT' : 'SHA512-CRYPT';
  if (parts === null || /[$:;*!\\]/.test(parts[2] ?? parts[4] ?? '')) throw malformed(scheme);
  const rounds = Number(parts[1] ?? parts[3] ?? 5000);
  requireCost(scheme, `${rounds} rounds`, [rounds, costCeilings.shaCryptRounds]);
  return { kind: 'sha-crypt', rounds, hash };
}

const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * yescrypt(5): flavour `j`, then two numbers less one, the logarithm of the blocks and their size
 * in 128 octets.
 */
function parseYescrypt(hash: string): StoredPassword {
  const parts =
    /^\$(g?y)\$j([./0-9A-Za-j])([./0-9A-Za-j])\$[./0-9A-Za-z]{1,86}\$[./0-9A-Za-z]{43}$/.exec(hash);
  const scheme = hash.startsWith('$y$') ? 'yescrypt' : 'gost-yescrypt';
  if (parts === null) throw malformed(scheme);
  const [logarithm, size] = parts.slice(2).map((digit) => alphabet.indexOf(digit) + 1) as [
    number,
    number,
  ];
  requireCost(scheme, `2^${logarithm} blocks of ${128 * size} octets`, [
    (2 ** logarithm * size) / 8,
    costCeilings.memory,
  ]);
  return { kind: 'system-crypt', scheme, hash };
}

/**
 * crypt(5): the logarithm of N, then r and p in five characters each, lowest six bits first; then
 * the salt as it is.
 */
function parseScrypt(hash: string): StoredPassword {
  const parts =
    /^\$7\$([./0-9A-Za-z])([./0-9A-Za-z]{5})([./0-9A-Za-z]{5})([./0-9A-Za-z]{0,86})\$([./0-9A-Za-z]{43})$/.exec(
      hash,
    );
  if (parts === null) throw malformed('scrypt');
  const [logarithm, blockSize, parallelization] = parts.slice(1, 4).map(lowestFirst) as [
    number,
    number,
    number,
  ];
  if (logarithm < 1 || blockSize < 1 || parallelization < 1) throw malformed('scrypt');
  const cost = 2 ** logarithm;
  const memory = (cost * blockSize) / 8;
  requireCost(
    'scrypt',
    `N=2^${logarithm},r=${blockSize},p=${parallelization}`,
    [memory, costCeilings.memory],
    [memory * parallelization, costCeilings.memoryWork],
  );
  const [, , , , salt = '', key = ''] = parts;
  return { kind: 'scrypt', cost, blockSize, parallelization, salt, key: decodeLowestFirst(key) };
}

function parseMd5Crypt(hash: string): StoredPassword {
  if (!/^\$1\$[^$:;*!\\\s]{0,8}\$[./0-9A-Za-z]{22}$/.test(hash)) throw malformed('MD5-CRYPT');
  return { kind: 'system-crypt', scheme: 'MD5-CRYPT', hash };
}

function parseDesCrypt(hash: string): StoredPassword {
  // BSDi's kind, which begins with `_`, has its rounds in four characters, of which 2^24 would take
  // long.
  if (hash.startsWith('_')) {
    const rounds = lowestFirst(hash.slice(1, 5));
    requireCost('DES-CRYPT', `${rounds} rounds`, [rounds, costCeilings.shaCryptRounds]);
  }
  return { kind: 'system-crypt', scheme: 'DES-CRYPT', hash };
}

function lowestFirst(text: string): number {
  return Array.from(text).reduceRight((sum, digit) => sum * 64 + alphabet.indexOf(digit), 0);
}

/** Each four characters are three octets, the lowest first. */
function decodeLowestFirst(text: string): Buffer {
  const octets = (text.match(/.{1,4}/g) ?? []).map((four) => {
    const value = lowestFirst(four);
    return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff].slice(0, four.length - 1);
  });
  return Buffer.from(octets.flat());
}
