// The authenticator on real SQLite files: verdicts, faults of the file, and how long things take.

import { unlimited } from '../../../src/auth/accounts/grant.js';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashSync as bcryptSync } from '@node-rs/bcrypt';
import { SqliteFile } from '../../support/accounts/sqlite-file.js';
import t, { type Test } from 'tap';
import { openAccounts } from '../../../src/auth/open-accounts.js';
import { AccountEditor } from '../../../src/auth/sqlite/account-editor.js';
import { hashPassword } from '../../../src/auth/stored/make-password.js';
import { unlessRoot } from '../../support/peers/debian.js';
import { anna, openVerifier } from '../../support/accounts/password-verifier.js';

const schema = `CREATE TABLE users (username TEXT, domain TEXT, password TEXT NOT NULL,
  active CHAR(1) NOT NULL DEFAULT 'Y', PRIMARY KEY (username, domain))`;

interface Row {
  readonly user: string;
  readonly password: string;
  readonly active?: string;
}

function writeDatabase(file: string, rows: readonly Row[]): void {
  const database = new SqliteFile(file);
  database.exec(schema);
  const insert = database.prepare("INSERT INTO users VALUES (?, 'example.org', ?, ?)");
  for (const { user, password, active = 'Y' } of rows) insert.run(user, password, active);
  database.close();
}

function makeFile(t: Test, rows: readonly Row[]): string {
  const file = join(t.testdir(), 'passdb.sqlite');
  writeDatabase(file, rows);
  return file;
}

const annasRow = { user: 'anna', password: '{PLAIN}secret' };

t.test('accepts the right password of a user, however the name is capitalised', async (t) => {
  const verify = openVerifier(t, { file: makeFile(t, [annasRow]), defaultDomain: 'example.org' });
  t.same(await verify('anna@example.org', 'secret'), anna);
  t.same(await verify('ANNA@Example.ORG.', 'secret'), anna);
  t.same(await verify('anna', 'secret'), anna);
});

t.test('rejects everything else and says why to the log only', async (t) => {
  const file = makeFile(t, [annasRow, { user: 'otto', password: '{PLAIN}secret', active: 'N' }]);
  const verify = openVerifier(t, { file });
  const rows: readonly (readonly [name: string, password: string, reason: string])[] = [
    ['anna@example.org', 'Secret', 'wrong password'],
    ['anna@example.org', '', 'wrong password'],
    ['anna@example.org', 'secret\0', 'password with a NUL'],
    ['anna@example.org', 'x'.repeat(513), 'password too long'],
    ['anna@example.net', 'secret', 'unknown user'],
    ["' OR 1=1--@example.org", 'secret', 'unknown user'],
    ['%@example.org', 'secret', 'unknown user'],
    ['../../etc@example.org', 'secret', 'unknown user'],
    ['anna', 'secret', 'impossible name'],
    ['otto@example.org', 'secret', 'disabled user'],
  ];
  for (const [name, password, reason] of rows) {
    t.same(await verify(name, password), { verdict: 'rejected', reason }, name);
  }
});

t.test('a password that was typed in another form of Unicode is the same', async (t) => {
  const file = makeFile(t, [
    { user: 'anna', password: await hashPassword('SSHA256', Buffer.from('caf\u00e9')) },
  ]);
  const verify = openVerifier(t, { file });
  t.same(await verify('anna@example.org', 'cafe\u0301'), anna);
});

t.test('a row that cannot be verified is a lasting fault that names the scheme', async (t) => {
  const file = makeFile(t, [
    { user: 'md5', password: `{MD5-CRYPT}$1$salt$${'a'.repeat(22)}` },
    { user: 'costly', password: `$2b$31$${'a'.repeat(21)}e${'a'.repeat(31)}` },
  ]);
  const verify = openVerifier(t, { file });
  t.same(await verify('md5@example.org', 'x'), {
    verdict: 'unavailable',
    isLasting: true,
    isCounted: true,
    reason: 'password scheme MD5-CRYPT is weak, and verified only with --allow-weak-schemes',
  });
  t.match(await verify('costly@example.org', 'x'), {
    verdict: 'unavailable',
    isLasting: true,
    reason: /costs too much/,
  });
});

t.test('what would cost too much, or is none of ours, lets nobody in by any way', async (t) => {
  const rows = [
    ['absurd', `$2b$99$${'a'.repeat(21)}e${'a'.repeat(31)}`, /BLF-CRYPT password is malformed/],
    ['scrypt', `$7$SU..../....salt$${'a'.repeat(43)}`, /scrypt password costs too much/],
    [
      'greedy',
      `{ARGON2ID}$argon2id$v=19$m=4194304,t=100,p=1$c29tZXNhbHRzYWx0$${'A'.repeat(43)}`,
      /costs too much to verify/,
    ],
    ['empty', '{PLAIN}', /PLAIN password is empty/],
  ] as const;
  const file = makeFile(
    t,
    rows.map(([user, password]) => ({ user, password })),
  );
  const database = openAccounts({ file });
  t.teardown(() => database.close());
  for (const [user, , reason] of rows) {
    const name = Buffer.from(`${user}@example.org`);
    const verdict = await database.verifyPassword(name, Buffer.alloc(0));
    t.match(verdict, { verdict: 'unavailable', isLasting: true, reason }, user);
    for (const found of [await database.lookUpScram(name), await database.lookUpPlain(name)]) {
      t.match(found, { found: 'unavailable', isLasting: true, reason }, user);
    }
  }
});

t.test('a file that is no password database is a fault, never a rejection', async (t) => {
  const folder = t.testdir();
  const at = (name: string): string => join(folder, name);
  writeDatabase(at('good'), [annasRow]);
  mkdirSync(at('directory'));
  execFileSync('mkfifo', [at('fifo')]);
  writeFileSync(at('empty'), '');
  writeFileSync(at('noise'), 'no database at all, but long enough to look at. '.repeat(30));
  copyFileSync(at('good'), at('truncated'));
  truncateSync(at('truncated'), 5000);
  new SqliteFile(at('foreign')).exec('CREATE TABLE users (name TEXT)').close();
  new SqliteFile(at('versioned')).exec(`${schema}; PRAGMA user_version = 7`).close();
  const rows: readonly (readonly [name: string, isLasting: boolean, reason: RegExp])[] = [
    ['missing', false, /no such file/],
    ['directory', true, /not a regular file/],
    ['fifo', true, /not a regular file/],
    ['empty', true, /no such table/],
    ['noise', true, /noise is no SQLite database/],
    ['truncated', false, /malformed/],
    ['foreign', true, /no such column/],
    ['versioned', true, /user_version/],
  ];
  for (const [name, isLasting, reason] of rows) {
    const verdict = await openVerifier(t, { file: at(name) })('anna@example.org', 'secret');
    t.match(verdict, { verdict: 'unavailable', isLasting, reason }, name);
    t.match(verdict, { reason: new RegExp(name) }, 'names the file');
  }
  t.throws(() => readFileSync(at('missing')), /ENOENT/, 'was not created');
});

t.test('a query reads databases of another shape', async (t) => {
  const file = join(t.testdir(), 'mailbox.sqlite');
  const database = new SqliteFile(file);
  database.exec(
    'CREATE TABLE mailbox (username TEXT PRIMARY KEY, password TEXT, active INT) WITHOUT ROWID',
  );
  const insert = database.prepare('INSERT INTO mailbox VALUES (?, ?, ?)');
  insert.run('anna@example.org', '{PLAIN}secret', 1);
  insert.run('otto@example.org', '{PLAIN}secret', 0);
  insert.run('null@example.org', null, 1);
  database.pragma('user_version = 99');
  database.close();
  const query = 'SELECT password FROM mailbox WHERE username = :address AND active = 1';
  const verify = openVerifier(t, { file, query });
  t.same(await verify('anna@example.org', 'secret'), anna);
  t.match(await verify('otto@example.org', 'secret'), {
    verdict: 'rejected',
    reason: 'unknown user',
  });
  t.match(await verify('null@example.org', ''), { verdict: 'rejected' });
  const prefixing = openVerifier(t, {
    file,
    query:
      "SELECT '{PLAIN}' || substr(password, 8) FROM mailbox WHERE username = :user || '@' || :domain",
  });
  t.same(await prefixing('anna@example.org', 'secret'), anna);
  t.match(await prefixing('nobody@example.org', 'secret'), { reason: 'unknown user' });
});

t.test('a query that cannot work is a lasting fault', async (t) => {
  const file = makeFile(t, [annasRow]);
  for (const query of [
    'SELECT nothing FROM users',
    'SELEKT',
    'DELETE FROM users WHERE username = :user',
    'SELECT password FROM users WHERE username = :name',
    'SELECT 1; SELECT 2',
  ]) {
    t.match(
      await openVerifier(t, { file, query })('anna@example.org', 'secret'),
      { verdict: 'unavailable', isLasting: true },
      query,
    );
  }
  t.same(
    await openVerifier(t, { file })('anna@example.org', 'secret'),
    anna,
    'nothing was deleted',
  );
});

t.test('a remembered password skips the hash; a wrong one never does', async (t) => {
  const password = await hashPassword('PBKDF2', Buffer.from('secret'));
  const verify = openVerifier(t, {
    file: makeFile(t, [{ user: 'anna', password }]),
    rememberedPasswords: 2,
  });
  // The least of some: what else the machine does can only make one longer.
  const timed = async (given: string): Promise<number> => {
    let leastMs = Number.POSITIVE_INFINITY;
    for (let count = 0; count < 5; count += 1) {
      const started = performance.now();
      await verify('anna@example.org', given);
      leastMs = Math.min(leastMs, performance.now() - started);
    }
    return leastMs;
  };
  await verify('nobody@example.org', 'secret');
  t.match(await verify('anna@example.org', 'secret'), { verdict: 'accepted' });
  const again = await timed('secret');
  const wrong = await timed('Secret');
  t.ok(again < wrong / 4, `again ${again} ms, wrong ${wrong} ms`);
  t.match(await verify('anna@example.org', 'Secret'), { verdict: 'rejected' });
});

t.test('200 wrong logins at once are all answered', async (t) => {
  const verify = openVerifier(t, {
    file: makeFile(t, [{ user: 'anna', password: bcryptSync('secret', 4) }]),
  });
  const verdicts = await Promise.all(
    Array.from({ length: 200 }, (_, index) => verify('anna@example.org', `wrong${index}`)),
  );
  t.ok(verdicts.every(({ verdict }) => verdict === 'rejected'));
});

t.test('SCRAM is offered once a row can be used for it', async (t) => {
  const scram = await hashPassword('SCRAM-SHA-256', Buffer.from('x'));
  for (const [password, isOffered] of [
    ['$6$salt$hash', false],
    [scram, true],
    ['{plain}x', true],
    ['{CLEARTEXT}x', true],
  ] as const) {
    const folder = t.testdir();
    const file = join(folder, 'passdb.sqlite');
    writeDatabase(file, [{ user: 'anna', password }]);
    const database = openAccounts({ file });
    t.equal(await database.offersScram(), isOffered, password.slice(0, 10));
    database.close();
  }
  t.equal(await openAccounts({ file: '/nonexistent' }).offersScram(), false);
});

t.test(
  'made-up salts are the same in every process once passdb has edited the database',
  async (t) => {
    const file = makeFile(t, []);
    const saltOf = async (): Promise<string> => {
      const database = openAccounts({ file });
      const lookup = await database.lookUpScram(Buffer.from('nobody@example.org'));
      database.close();
      return lookup.found === 'decoy' ? lookup.credentials.salt.toString('hex') : lookup.found;
    };
    t.not(await saltOf(), await saltOf());
    const editor = new AccountEditor({ file });
    editor.add({ user: 'anna', domain: 'example.org' }, '{PLAIN}x');
    editor.close();
    t.match(await saltOf(), /^[0-9a-f]{32}$/);
    t.equal(await saltOf(), await saltOf());
  },
);

t.test('APOP gets the password of {PLAIN} rows only', async (t) => {
  const file = makeFile(t, [
    annasRow,
    { user: 'otto', password: '{PLAIN}x', active: 'N' },
    { user: 'hash', password: await hashPassword('SSHA256', Buffer.from('x')) },
  ]);
  const database = openAccounts({ file });
  t.teardown(() => database.close());
  const lookUp = (user: string): Promise<unknown> =>
    database.lookUpPlain(Buffer.from(`${user}@example.org`));
  t.same(await lookUp('anna'), {
    found: 'passwords',
    identity: { user: 'anna', domain: 'example.org' },
    passwords: [{ password: Buffer.from('secret'), grant: unlimited, refusal: null }],
    mismatch: 'wrong password',
  });
  t.same(await lookUp('otto'), { found: 'nothing', reason: 'disabled user' });
  t.same(await lookUp('hash'), { found: 'nothing', reason: 'password not stored as PLAIN' });
  t.same(await lookUp('nobody'), { found: 'nothing', isUnknown: true, reason: 'unknown user' });
  const missing = openAccounts({ file: `${file}.missing` });
  t.match(await missing.lookUpPlain(Buffer.from('a@b')), { found: 'unavailable' });
  t.match(await missing.lookUpScram(Buffer.from('a@b')), { found: 'unavailable' });
});

t.test('what this user may not read is a passing fault', { skip: unlessRoot() }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'passdb-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  chmodSync(folder, 0o755);
  const [secret, wal, plain] = ['secret', 'wal', 'plain'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const file of [secret, wal, plain]) writeDatabase(file, [annasRow]);
  chmodSync(secret, 0o600);
  const writer = new SqliteFile(wal);
  writer.pragma('journal_mode = WAL');
  writer.close();
  // The effective user only, so that the test can come back.
  process.seteuid?.(65534);
  try {
    for (const [file, expected] of [
      [plain, anna],
      [secret, { verdict: 'unavailable', isLasting: false, reason: /cannot be read by this user/ }],
      [wal, { verdict: 'unavailable', isLasting: false, reason: /WAL mode in a directory/ }],
    ] as const) {
      t.match(await openVerifier(t, { file })('anna@example.org', 'secret'), expected, file);
    }
  } finally {
    process.seteuid?.(0);
  }
});

/** Welch's t for two samples without their slowest twentieth, which the machine's other work made. */
function welch(one: readonly number[], other: readonly number[]): number {
  const summary = (sample: readonly number[]): { mean: number; error: number } => {
    const kept = [...sample].sort((a, b) => a - b).slice(0, Math.floor(sample.length * 0.95));
    const mean = kept.reduce((sum, value) => sum + value, 0) / kept.length;
    const variance = kept.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (kept.length - 1);
    return { mean, error: variance / kept.length };
  };
  const [a, b] = [summary(one), summary(other)];
  return Math.abs(a.mean - b.mean) / Math.sqrt(a.error + b.error);
}

t.test('unknown, disabled and impossible users take as long as a wrong password', async (t) => {
  const password = bcryptSync('secret', 6);
  const file = makeFile(t, [
    { user: 'anna', password },
    { user: 'otto', password, active: 'N' },
  ]);
  const verify = openVerifier(t, { file, rememberedPasswords: 10 });
  const names = ['anna@example.org', 'nobody@example.org', 'otto@example.org', 'impossible'];
  const samples: number[][] = names.map(() => []);
  const order = [...names.keys()];
  for (let round = 0; round < 1000; round++) {
    // In random order, so that the machine's moods and the request before meet all alike.
    order.sort(() => Math.random() - 0.5);
    for (const index of order) {
      const started = performance.now();
      await verify(names[index] ?? '', 'wrong');
      samples[index]?.push(performance.now() - started);
    }
  }
  const [wrong = [], ...others] = samples;
  others.forEach((sample, index) => {
    const value = welch(wrong, sample);
    t.ok(value < 4.5, `${names[index + 1] ?? ''}: |t| = ${value.toFixed(2)}`);
  });
});
