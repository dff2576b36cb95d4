import { createHash } from 'node:crypto';
import t from 'tap';
import {
  hashPassword,
  UnstorablePasswordError,
  writableSchemes,
} from '../../../../src/auth/stored/make-password.js';
import { verifyPassword } from '../../../../src/auth/stored/verify-password.js';
import { parseStoredPassword } from '../../../../src/auth/stored/parse-stored-password.js';

for (const scheme of writableSchemes) {
  t.test(`${scheme}: what is stored fits the password and nothing near it`, async (t) => {
    const password = Buffer.from(' pass wörd% ');
    const text = await hashPassword(scheme, password);
    t.ok(text.startsWith(`{${scheme}}`), text);
    const stored = parseStoredPassword(text);
    t.equal(await verifyPassword(stored, password), true);
    for (const other of [' pass wörd%', 'pass wörd% ', ' Pass wörd% ', '', ' pass wörd% \0']) {
      t.equal(await verifyPassword(stored, Buffer.from(other)), false, JSON.stringify(other));
    }
  });
}

for (const scheme of writableSchemes.filter((name) => name !== 'SCRAM-SHA-256')) {
  t.test(`${scheme}: octets that are not UTF-8 are told apart`, async (t) => {
    const stored = parseStoredPassword(await hashPassword(scheme, Buffer.from([0x61, 0xff, 0x80])));
    t.equal(await verifyPassword(stored, Buffer.from([0x61, 0xff, 0x80])), true);
    t.equal(await verifyPassword(stored, Buffer.from([0x61, 0xfe, 0x80])), false);
    t.equal(await verifyPassword(stored, Buffer.from('a\ufffd\ufffd')), false);
  });
}

t.test('an empty password fits nothing, not even the hash of one', async (t) => {
  const salt = Buffer.from('salt');
  const digest = createHash('sha256').update(salt).digest();
  const stored = `{SSHA256}${Buffer.concat([digest, salt]).toString('base64')}`;
  t.equal(await verifyPassword(parseStoredPassword(stored), Buffer.alloc(0)), false);
});

// Made with `openssl passwd` and `doveadm pw`; the password is "secret".
const foreign: readonly (readonly [by: string, text: string])[] = [
  [
    'openssl -6',
    '$6$saltstring$AIsRs/Ee56G/tC8MEHhvReZTfx8u3rXXMl6eYrjCG9ibix19DxoMBLogdTET5Ukw9Sf7eZTITsuk0Ry5qulYz.',
  ],
  ['openssl -5', '$5$saltstring$C3o4O1TC6aRHF4FI.QSZMXtHbaj2gSXr4sUc/3NcUi.'],
  [
    'doveadm ARGON2I',
    '{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$QVPibq4ZF6o30Ln5vx2wKw$dGJKbrgMu8jxmfivOKjNP03iIWQwwSQ+VJltXizjy6c',
  ],
  ['doveadm BLF-CRYPT', '{BLF-CRYPT}$2y$05$6yKPucAalVJ.DZxx.2yfD.gIx73oQDGtSmA2CgWEzIQG09VAHPVWi'],
  [
    'doveadm SSHA512',
    '{SSHA512}nmFwo9QvXJ9DWRwd39nJr9PucK5I2//Yd1UMMbW6/KCq+0+xjtyYNXrn0ihmv1hlJaT/fD6P39enhnXvIwtabkH3Btc=',
  ],
  ['doveadm PBKDF2', '{PBKDF2}$1$zFzDYHyT0O/KhGbg$5000$72bed1882229f6d51ad2c98a4c2651b1f52156b6'],
  [
    'doveadm SCRAM-SHA-256',
    '{SCRAM-SHA-256}4096,cYn2yk3wmctJpBqQfkYnSA==,BwjobP4P1LxG5w7uscTyztHbqIXKX0V6rjcwI6oFyAk=,cH+kniXtbbHbqMFQVr0hYkjyfzhUjl54p/u6nqq6kKo=',
  ],
];

for (const [by, text] of foreign) {
  t.test(`verifies what ${by} made`, async (t) => {
    const stored = parseStoredPassword(text);
    t.equal(await verifyPassword(stored, Buffer.from('secret')), true);
    t.equal(await verifyPassword(stored, Buffer.from('Secret')), false);
  });
}

t.test('a password over 72 octets never fits a bcrypt hash of its beginning', async (t) => {
  const stored = parseStoredPassword(await hashPassword('BLF-CRYPT', Buffer.alloc(72, 0x78)));
  t.equal(await verifyPassword(stored, Buffer.alloc(72, 0x78)), true);
  t.equal(await verifyPassword(stored, Buffer.alloc(73, 0x78)), false);
});

t.test('what a scheme cannot hold is refused by name of the fault', async (t) => {
  const rows: readonly (readonly [(typeof writableSchemes)[number], Buffer, RegExp])[] = [
    ['ARGON2ID', Buffer.alloc(0), /empty/],
    ['PLAIN', Buffer.from('a\0b'), /NUL/],
    ['BLF-CRYPT', Buffer.alloc(73, 0x78), /72 octets/],
    ['SCRAM-SHA-256', Buffer.from([0xff]), /SASLprep/],
    ['SCRAM-SHA-256', Buffer.from('\u0221'), /SASLprep/],
  ];
  for (const [scheme, password, message] of rows) {
    await t.rejects(hashPassword(scheme, password), {
      constructor: UnstorablePasswordError,
      message,
    });
  }
});

t.test('SHA-crypt leaves the event loop free', async (t) => {
  const stored = parseStoredPassword(`$6$rounds=20000$saltsalt$${'a'.repeat(86)}`);
  let turns = 0;
  const ticking = setInterval(() => (turns += 1), 1);
  const started = performance.now();
  t.equal(await verifyPassword(stored, Buffer.from('secret')), false);
  clearInterval(ticking);
  const tookMs = performance.now() - started;
  // One or two would come about before and after; how many more depends on what else the machine has to do.
  t.ok(turns > 5, `${turns} turns in ${Math.round(tookMs)} ms`);
});
