import fc from 'fast-check';
import t from 'tap';
import {
  parseStoredPassword,
  schemeOf,
  UnusablePasswordError,
} from '../../../../src/auth/stored/parse-stored-password.js';

const salt = 'c29tZXNhbHRzYWx0';
const tag = 'A'.repeat(43);
const argon2 = `$argon2id$v=19$m=19456,t=2,p=1$${salt}$${tag}`;
const bcrypt = `$2y$05$${'a'.repeat(21)}e${'a'.repeat(31)}`;
const sha512 = `$6$rounds=6000$saltsalt$${'a'.repeat(86)}`;
const sha256 = `$5$saltsalt$${'a'.repeat(43)}`;
const digest = Buffer.alloc(36, 1);
const key = Buffer.alloc(32, 2).toString('base64');

const rows: readonly (readonly [text: string, kind: string])[] = [
  [argon2, 'argon2'],
  [`{ARGON2ID}${argon2}`, 'argon2'],
  [`{CRYPT}${argon2}`, 'argon2'],
  [bcrypt, 'bcrypt'],
  [`{blf-crypt}${bcrypt}`, 'bcrypt'],
  [`{BLF-CRYPT.b64}${Buffer.from(bcrypt).toString('base64')}`, 'bcrypt'],
  [sha512, 'sha-crypt'],
  [sha256, 'sha-crypt'],
  [`{SSHA256}${digest.toString('base64')}`, 'digest'],
  [`{SSHA256.HEX}${digest.toString('hex')}`, 'digest'],
  [`{PBKDF2}$1$salt$5000$${'0'.repeat(40)}`, 'pbkdf2'],
  [`{SCRAM-SHA-256}4096,${salt},${key},${key}`, 'scram'],
  ['{PLAIN}secret', 'plain'],
  ['{CLEARTEXT}a,b$c{d}', 'plain'],
  ['{PLAIN.b64}/w==', 'plain'],
];

for (const [text, kind] of rows) {
  t.test(`${text.slice(0, 24)}… is a password of kind ${kind}`, (t) => {
    const stored = parseStoredPassword(text);
    t.equal(stored.kind, kind);
    t.end();
  });
}

const unusable: readonly (readonly [text: string, message: RegExp])[] = [
  ['{MD5-CRYPT}$1$salt$hash', /^password scheme MD5-CRYPT is weak, and/],
  ['$1$salt$hash', /^password scheme MD5-CRYPT is weak/],
  ['{CRYPT}$y$j9T$salt$hash', /stored yescrypt password is malformed/],
  ['$sha1$1$salt$hash', /type sha1crypt is not supported/],
  ['{NTLM}00', /^password scheme NTLM is not supported$/],
  [`$y$jFT$salt$${'a'.repeat(43)}`, /yescrypt password costs too much/],
  // N = 2^30, in the notation of its C library.
  [`$7$SU..../....salt$${'a'.repeat(43)}`, /scrypt password costs too much/],
  ['{CRYPT}$7$SU..../....salt$hash', /scrypt password is malformed/],
  ['abJnggxhB/yWI', /scheme DES-CRYPT is weak/],
  ['', /type DES or none/],
  ['{ARGON2ID}secret', /^stored ARGON2ID password is malformed$/],
  [argon2.slice(0, -30), /^stored ARGON2 password is malformed$/],
  [argon2.replace('m=19456', 'm=4194304'), /costs too much to verify \(m=4194304,t=2,p=1\)/],
  [argon2.replace('m=19456,t=2', 'm=4194304,t=100'), /costs too much/],
  [argon2.replace('t=2', 't=9999'), /costs too much/],
  [argon2.replace('m=19456', 'm=999999999'), /malformed/],
  [argon2.replace('p=1', 'p=255'), /costs too much/],
  [argon2.replace('m=19456', 'm=7'), /malformed/],
  [argon2.replace('t=2', 't=0'), /malformed/],
  [bcrypt.replace('$05$', '$99$'), /stored BLF-CRYPT password is malformed/],
  [bcrypt.replace('$05$', '$31$'), /BLF-CRYPT password costs too much to verify \(cost 31\)/],
  [bcrypt.slice(0, -1), /malformed/],
  [bcrypt.replace('e', 'f'), /malformed/],
  [sha512.replace('6000', '999999999'), /SHA512-CRYPT password costs too much/],
  [sha256.slice(0, -1), /stored SHA256-CRYPT password is malformed/],
  [`{SSHA256}${digest.subarray(0, 32).toString('base64')}`, /malformed/],
  [`{SSHA256}${digest.toString('base64').slice(0, -1)}!`, /malformed/],
  [`{PBKDF2}$1$salt$999999999$${'0'.repeat(40)}`, /PBKDF2 password costs too much/],
  [`{PBKDF2}$1$salt$0$${'0'.repeat(40)}`, /malformed/],
  [`{SCRAM-SHA-256}0,${salt},${key},${key}`, /malformed/],
  [`{SCRAM-SHA-256}999999999,${salt},${key},${key}`, /costs too much/],
  [`{SCRAM-SHA-256}4096,${salt},${key}`, /malformed/],
  [`{SCRAM-SHA-256}4096,${salt},${salt},${key}`, /malformed/],
  ['{PLAIN}', /^stored PLAIN password is empty$/],
  ['{CLEARTEXT.b64}', /^stored PLAIN password is empty$/],
  ['{PLAIN.rot13}frperg', /^encoding rot13 of password scheme PLAIN is not supported$/],
  ['{PLAIN.hex}zz', /malformed/],
  [`{PLAIN}${'x'.repeat(3000)}`, /too long/],
];

for (const [text, message] of unusable) {
  t.test(`${text.slice(0, 40)} is unusable, and the error does not hold the value`, (t) => {
    t.throws(() => parseStoredPassword(text), { constructor: UnusablePasswordError, message });
    t.end();
  });
}

t.test('the scheme of a stored password is named without any of its value', (t) => {
  t.equal(schemeOf('{plain}secret'), 'PLAIN');
  t.equal(schemeOf('{SSHA256.b64}AAAA'), 'SSHA256.B64');
  t.equal(schemeOf('$6$salt$hash'), 'CRYPT');
  t.equal(schemeOf('{secret'), 'CRYPT');
  t.end();
});

t.test('any text is a stored password or an UnusablePasswordError', (t) => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '$',
    'PLAIN',
    'CRYPT',
    '.b64',
    '2y',
    'argon2id',
    ',',
    '=',
    '05',
    'a',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces).map((list) => list.join('')),
      ),
      (text) => {
        try {
          parseStoredPassword(text, { allowsWeakSchemes: true });
        } catch (error) {
          if (!(error instanceof UnusablePasswordError)) throw error;
        }
      },
    ),
    { seed: 1, numRuns: 5000 },
  );
  t.end();
});
