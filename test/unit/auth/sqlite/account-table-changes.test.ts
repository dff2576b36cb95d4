// What other programs change in the SQLite file, or do with it, counts from the next login on, whatever is remembered.

import { execFileSync } from 'node:child_process';
import { renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { hashSync as bcryptSync } from '@node-rs/bcrypt';
import { SqliteFile } from '../../../support/accounts/sqlite-file.js';
import t, { type Test } from 'tap';
import { poll } from '../../../support/suite/deadline.js';
import { makePasswordDatabase } from '../../../support/accounts/password-database-fixture.js';
import { anna, openVerifier, type Verifier } from '../../../support/accounts/password-verifier.js';

const address = 'anna@example.org';
const remembering = { rememberedRows: 10, rememberedPasswords: 10 };

function makeFile(t: Test, name = 'passdb.sqlite', password = 'secret'): string {
  const file = join(t.testdir({}), name);
  makePasswordDatabase(file, { [address]: password });
  return file;
}

t.test(
  'a database that appears later, or is replaced, is used from the next login on',
  async (t) => {
    const folder = t.testdir({});
    const file = join(folder, 'passdb.sqlite');
    const verify = openVerifier(t, { file });
    t.match(await verify(address, 'secret'), { verdict: 'unavailable' });
    makePasswordDatabase(file, { [address]: 'secret' });
    t.same(await verify(address, 'secret'), anna);
    makePasswordDatabase(join(folder, 'new'), { [address]: 'other' });
    renameSync(join(folder, 'new'), file);
    t.match(await verify(address, 'secret'), { verdict: 'rejected' });
    t.same(await verify(address, 'other'), anna);
    rmSync(file);
    t.match(await verify(address, 'other'), { verdict: 'unavailable' });
  },
);

t.test('what another program changes in the file is seen at the next login', async (t) => {
  const file = makeFile(t);
  const verify = openVerifier(t, { file, ...remembering });
  t.same(await verify(address, 'secret'), anna);
  const other = new SqliteFile(file);
  other.exec("UPDATE users SET active = 'N'");
  t.match(await verify(address, 'secret'), { reason: 'disabled user' });
  other.exec("UPDATE users SET active = 'Y', password = '{PLAIN}new'; VACUUM");
  t.match(await verify(address, 'secret'), { reason: 'wrong password' });
  t.same(await verify(address, 'new'), anna);
  other.close();
});

t.test('a row that changes while its password is hashed counts as it was at PASS', async (t) => {
  const file = makeFile(t, 'hashed', bcryptSync('secret', 8));
  const verify = openVerifier(t, { file, ...remembering });
  // Everything is loaded from here on: the row is read before the promise is there.
  await verify(address, 'wrong');
  const other = new SqliteFile(file);
  const login = verify(address, 'secret');
  other.exec("UPDATE users SET active = 'N'");
  t.same(await login, anna);
  t.match(await verify(address, 'secret'), { reason: 'disabled user' });
  other.exec("UPDATE users SET active = 'Y'");
  const again = verify(address, 'secret');
  other.prepare('UPDATE users SET password = ?').run(bcryptSync('changed', 8));
  t.same(await again, anna);
  t.match(await verify(address, 'secret'), { reason: 'wrong password' });
  t.same(await verify(address, 'changed'), anna);
  other.close();
});

const changes = [
  {
    what: 'a password is changed',
    sql: "UPDATE users SET password = '{PLAIN}new'",
    verdict: { verdict: 'rejected', reason: 'wrong password' },
  },
  {
    what: 'a user is disabled',
    sql: "UPDATE users SET active = 'N'",
    verdict: { verdict: 'rejected', reason: 'disabled user' },
  },
  {
    what: 'a user is removed',
    sql: 'DELETE FROM users',
    verdict: { verdict: 'rejected', reason: 'unknown user' },
  },
  {
    what: 'the table goes',
    sql: 'DROP TABLE users',
    verdict: { verdict: 'unavailable', isLasting: true },
  },
  {
    what: 'the write-ahead log is tidied up',
    sql: 'PRAGMA wal_checkpoint(TRUNCATE)',
    verdict: anna,
  },
] as const;

/** Nobody wrote to the file for so long that rows of it are remembered. */
async function settled(file: string): Promise<void> {
  await poll(`${file} to be left alone`, () => {
    const changedMs = [file, `${file}-wal`].map(
      (path) => statSync(path, { throwIfNoEntry: false })?.ctimeMs ?? 0,
    );
    return Promise.resolve(Date.now() - Math.max(...changedMs) > 2600 ? true : undefined);
  });
}

/** A remembered row needs no file that can be read: a lock tells whether it is one. */
async function isRemembered(file: string, verify: Verifier): Promise<boolean> {
  const locker = new SqliteFile(file);
  locker.exec('BEGIN EXCLUSIVE');
  const { verdict } = await verify(address, 'secret');
  locker.exec('ROLLBACK');
  locker.close();
  return verdict === 'accepted';
}

for (const journal of ['DELETE', 'WAL'] as const) {
  t.test(`what happens to a settled file counts at once, journal mode ${journal}`, async (t) => {
    const folder = t.testdir({});
    // All files at the beginning, so that the clock's grain is waited for once.
    const cases = changes.map((change, index) => {
      const file = join(folder, String(index));
      makePasswordDatabase(file, { [address]: 'secret' });
      const writer = new SqliteFile(file);
      writer.pragma(`journal_mode = ${journal}`);
      // Something for the log to hold.
      writer.exec("UPDATE users SET active = 'Y'");
      const verify = openVerifier(t, { file, busyTimeoutMs: 50, ...remembering });
      return { ...change, file, writer, verify };
    });
    for (const { what, sql, verdict, file, writer, verify } of cases) {
      await settled(file);
      t.same(await verify(address, 'secret'), anna);
      if (journal === 'DELETE') t.equal(await isRemembered(file, verify), true);
      writer.exec(sql);
      t.match(await verify(address, 'secret'), verdict, what);
      writer.close();
    }
  });
}

t.test('that nobody has a name holds until somebody has it', async (t) => {
  const file = makeFile(t);
  const verify = openVerifier(t, { file, ...remembering });
  await settled(file);
  t.match(await verify('nova@example.org', 'secret'), { reason: 'unknown user' });
  const writer = new SqliteFile(file);
  writer.exec("INSERT INTO users VALUES ('nova', 'example.org', '{PLAIN}secret', 'Y')");
  writer.close();
  t.match(await verify('nova@example.org', 'secret'), { verdict: 'accepted' });
});

t.test('a user who is disabled behind a link, in WAL mode, is disabled at once', async (t) => {
  const folder = t.testdir({ elsewhere: {} });
  const target = join(folder, 'elsewhere', 'db');
  makePasswordDatabase(target, { [address]: 'secret' });
  const writer = new SqliteFile(target);
  writer.pragma('journal_mode = WAL');
  const file = join(folder, 'passdb.sqlite');
  symlinkSync('elsewhere/db', file);
  const verify = openVerifier(t, { file, ...remembering });
  await settled(target);
  t.same(await verify(address, 'secret'), anna);
  writer.exec("UPDATE users SET active = 'N'");
  t.match(await verify(address, 'secret'), { reason: 'disabled user' });
  writer.close();
});

t.test('two rows for one user are a lasting fault', async (t) => {
  const file = join(t.testdir({}), 'db');
  const writer = new SqliteFile(file);
  writer.exec(
    "CREATE TABLE users(username, domain, password, active); INSERT INTO users VALUES ('anna', 'example.org', '{PLAIN}a', 'Y'), ('anna', 'example.org', '{PLAIN}b', 'Y')",
  );
  writer.close();
  t.match(await openVerifier(t, { file })(address, 'a'), {
    verdict: 'unavailable',
    isLasting: true,
    reason: /more than one row/,
  });
});

for (const suffix of ['-journal', '-wal', '-shm']) {
  t.test(`a FIFO at ${suffix} is a fault that names it, and holds nobody up`, async (t) => {
    const file = makeFile(t);
    execFileSync('mkfifo', [file + suffix]);
    t.match(await openVerifier(t, { file })(address, 'secret'), {
      verdict: 'unavailable',
      isLasting: true,
      reason: new RegExp(`sqlite${suffix} is a FIFO`),
    });
  });
}
