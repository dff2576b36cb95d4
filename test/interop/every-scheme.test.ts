// Every scheme that `passdb schemes` lists, against what doveadm(1) and crypt(3) make of passwords: right and wrong ones, of the
// lengths around which hashes change their ways.

import { execFileSync } from 'node:child_process';
import t from 'tap';
import { hashPassword, writableSchemes } from '../../src/auth/stored/make-password.js';
import {
  parseStoredPassword,
  verifiableSchemes,
  weakSchemes,
} from '../../src/auth/stored/parse-stored-password.js';
import { verifyPassword } from '../../src/auth/stored/verify-password.js';
import { unlessInstalled } from '../support/peers/debian.js';

const lengths = [1, 31, 32, 33, 63, 64, 65, 127, 128, 129];
/** For what takes a second each time: those that came out wrong once. */
const fewLengths = [32, 64, 128];
/** More than this, bcrypt does not look at; passdb-database(5) says that such passwords never fit. */
const maxBcryptOctets = 72;

/** Octets over 127 among them, which some programs once took for negative numbers. */
function passwordOf(octets: number): string {
  const text = Array.from({ length: octets }, (_, index) =>
    String.fromCharCode(35 + ((index * 7 + octets) % 88)),
  ).join('');
  return octets < 4 ? text : `${text.slice(0, 2)}\u00e4${text.slice(4)}`;
}

/** All is different: DES looks at eight characters only, and $2x$ loses some beside an octet over 127. */
const wrong = (password: string): string => `!${'x'.repeat(Buffer.byteLength(password) - 1)}`;

function fits(stored: string, password: string): Promise<boolean> {
  const parsed = parseStoredPassword(stored, { allowsWeakSchemes: true });
  return verifyPassword(parsed, Buffer.from(password));
}

const doveadm = (...args: string[]): string =>
  execFileSync('doveadm', ['pw', ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
    .toString()
    .trim();

for (const scheme of [...verifiableSchemes, ...weakSchemes]) {
  t.test(`${scheme}: as doveadm makes it`, { skip: unlessInstalled('doveadm') }, async (t) => {
    for (const octets of scheme.startsWith('ARGON2') ? fewLengths : lengths) {
      const password = passwordOf(octets);
      const stored = doveadm('-s', scheme, '-p', password);
      const isCutOff = /\$2[abxy]\$/.test(stored) && octets > maxBcryptOctets;
      t.equal(await fits(stored, password), !isCutOff, `${octets} octets`);
      t.equal(await fits(stored, wrong(password)), false, `${octets} octets, a wrong one`);
    }
  });
}

for (const scheme of writableSchemes) {
  t.test(`${scheme}: doveadm takes ours`, { skip: unlessInstalled('doveadm') }, async (t) => {
    for (const octets of ['BLF-CRYPT', 'PBKDF2'].includes(scheme) ? fewLengths : lengths) {
      const password = passwordOf(octets);
      if (scheme === 'BLF-CRYPT' && octets > maxBcryptOctets) {
        await t.rejects(hashPassword(scheme, Buffer.from(password)), /over 72 octets/);
        continue;
      }
      const stored = await hashPassword(scheme, Buffer.from(password));
      t.match(doveadm('-t', stored, '-p', password), /\(verified\)/, `${octets} octets`);
      t.throws(() => doveadm('-t', stored, '-p', wrong(password)), `${octets} octets, a wrong one`);
    }
  });
}

/** As cheap as each scheme allows. */
const settings = [
  '$1$saltsalt',
  '$1$',
  '$2a$04$abcdefghijklmnopqrstuu',
  '$2b$04$abcdefghijklmnopqrstuu',
  '$2x$04$abcdefghijklmnopqrstuu',
  '$2y$04$abcdefghijklmnopqrstuu',
  '$5$saltsalt',
  '$5$rounds=535000$saltsalt',
  '$6$a+b=_-,c',
  '$6$rounds=656000$saltsalt',
  '$7$8/..../....saltsalt',
  '$y$j75$saltsalt',
  '$gy$j75$saltsalt',
  'ab',
  '_J9..salt',
];

/** What crypt(3) makes of each password, in one process. */
function systemHashes(setting: string, passwords: readonly string[]): readonly string[] {
  const script = 'my $s = shift; while (<STDIN>) { chomp; print crypt($_, $s), "\\n" }';
  const input = `${passwords.join('\n')}\n`;
  return execFileSync('perl', ['-e', script, setting], { input }).toString().trimEnd().split('\n');
}

for (const setting of settings) {
  t.test(`${setting}: as crypt(3) makes it`, async (t) => {
    const some = setting.includes('rounds=') ? [setting.startsWith('$5') ? 32 : 64] : lengths;
    const passwords = some.map(passwordOf);
    const hashes = systemHashes(setting, passwords);
    t.equal(hashes.length, passwords.length);
    for (const [index, password] of passwords.entries()) {
      const stored = hashes[index] ?? '';
      t.ok(stored.startsWith(setting), stored);
      const octets = some[index] ?? 0;
      const isCutOff = setting.startsWith('$2') && octets > maxBcryptOctets;
      t.equal(await fits(stored, password), !isCutOff, `${octets} octets`);
      t.equal(await fits(stored, wrong(password)), false, `${octets} octets, a wrong one`);
    }
  });
}
