// The authenticator while other programs lock, write and tidy up the SQLite file.

import { execFile } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { SqliteFile } from '../../../support/accounts/sqlite-file.js';
import t, { type Test } from 'tap';
import { makePasswordDatabase } from '../../../support/accounts/password-database-fixture.js';
import { anna, openVerifier } from '../../../support/accounts/password-verifier.js';

const sqliteFile = new URL('../../../support/accounts/sqlite-file.js', import.meta.url).href;
const asModule = ['--input-type=module', '-e'];

function makeFile(t: Test, password = '{PLAIN}secret'): string {
  const file = join(t.testdir({}), 'passdb.sqlite');
  makePasswordDatabase(file, { 'anna@example.org': password });
  return file;
}

t.test('a locked database is waited for, without holding up the event loop', async (t) => {
  const file = makeFile(t);
  const verify = openVerifier(t, { file });
  const writer = new SqliteFile(file);
  writer.exec('BEGIN EXCLUSIVE');
  let turns = 0;
  const ticking = setInterval(() => {
    turns += 1;
    if (turns === 30) writer.exec('COMMIT');
  }, 5);
  t.same(await verify('anna@example.org', 'secret'), anna);
  clearInterval(ticking);
  t.ok(turns >= 30, 'the loop turned meanwhile');
  writer.close();
});

t.test('a database locked for too long is a passing fault', async (t) => {
  const file = makeFile(t);
  const verify = openVerifier(t, { file, busyTimeoutMs: 50 });
  const writer = new SqliteFile(file);
  writer.exec('BEGIN EXCLUSIVE');
  t.match(await verify('anna@example.org', 'secret'), {
    verdict: 'unavailable',
    isLasting: false,
    reason: /locked by another program/,
  });
  writer.exec('ROLLBACK');
  writer.close();
  t.same(await verify('anna@example.org', 'secret'), anna);
});

t.test('a WAL database is read where its directory can be written', async (t) => {
  const file = makeFile(t);
  const writer = new SqliteFile(file);
  writer.pragma('journal_mode = WAL');
  writer.exec("UPDATE users SET password = '{PLAIN}wal'");
  const verify = openVerifier(t, { file });
  t.same(await verify('anna@example.org', 'wal'), anna);
  writer.close();
  t.same(await verify('anna@example.org', 'wal'), anna);
});

t.test('a WAL database is not waited for while another program writes', async (t) => {
  const file = makeFile(t);
  const writer = new SqliteFile(file);
  writer.pragma('journal_mode = WAL');
  const options = { file, busyTimeoutMs: 0 };
  const before = openVerifier(t, options);
  t.same(await before('anna@example.org', 'secret'), anna);
  writer.exec("BEGIN EXCLUSIVE; UPDATE users SET password = '{PLAIN}changed'");
  for (const verify of [before, openVerifier(t, options)]) {
    t.same(
      await verify('anna@example.org', 'secret'),
      anna,
      'what is not committed does not count',
    );
    t.match(await verify('anna@example.org', 'changed'), { verdict: 'rejected' });
  }
  writer.exec('COMMIT');
  t.same(await before('anna@example.org', 'changed'), anna);
  writer.close();
});

t.test('a checkpoint of the write-ahead log passes unnoticed by an open reader', async (t) => {
  const file = makeFile(t);
  const writer = new SqliteFile(file);
  writer.pragma('journal_mode = WAL');
  const verify = openVerifier(t, { file, rememberedRows: 10 });
  for (const mode of ['PASSIVE', 'FULL', 'RESTART', 'TRUNCATE']) {
    writer.exec(`UPDATE users SET password = '{PLAIN}${mode}'`);
    t.same(await verify('anna@example.org', mode), anna, `before ${mode}`);
    t.match(writer.pragma(`wal_checkpoint(${mode})`), [{ busy: 0 }]);
    t.same(await verify('anna@example.org', mode), anna, `after ${mode}`);
  }
  writer.close();
});

for (const journal of ['DELETE', 'WAL']) {
  t.test(`who logs in during a VACUUM waits at most, journal mode ${journal}`, async (t) => {
    const file = makeFile(t);
    const database = new SqliteFile(file);
    database.pragma(`journal_mode = ${journal}`);
    // Enough to be busy for a while.
    database.exec(`CREATE TABLE filler(text);
      WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
      INSERT INTO filler SELECT randomblob(1000) FROM n; DELETE FROM filler WHERE rowid % 2`);
    database.close();
    const verify = openVerifier(t, { file });
    await verify('anna@example.org', 'secret');
    const program = `import { SqliteFile } from ${JSON.stringify(sqliteFile)};
      new SqliteFile(process.argv[1]).exec('VACUUM; VACUUM')`;
    const progress = { isDone: false };
    const vacuum = promisify(execFile)(process.execPath, [...asModule, program, file]).finally(
      () => {
        progress.isDone = true;
      },
    );
    let count = 0;
    for (; !progress.isDone; count += 1) {
      const verdict = await verify('anna@example.org', 'secret');
      if (verdict.verdict !== 'accepted') t.same(verdict, anna, `login ${count}`);
      await nextTurn();
    }
    await vacuum;
    t.ok(count > 1, `${count} logins`);
    t.same(await verify('anna@example.org', 'secret'), anna);
  });
}

t.test('a journal left by a crash is a passing fault that says what mends it', async (t) => {
  const file = makeFile(t);
  const writer = new SqliteFile(file);
  // Spilled to the file before the commit, as it is when the power fails.
  writer.pragma('cache_size = 1');
  writer.pragma('synchronous = OFF');
  writer.exec('BEGIN IMMEDIATE');
  const insert = writer.prepare("INSERT INTO users VALUES (?, 'example.org', ?, 'Y')");
  for (let index = 0; index < 50; index++) insert.run(`user${index}`, 'x'.repeat(1500));
  const crashed = join(file, '..', 'crashed');
  copyFileSync(file, crashed);
  copyFileSync(`${file}-journal`, `${crashed}-journal`);
  writer.exec('ROLLBACK');
  writer.close();
  const verify = openVerifier(t, { file: crashed });
  t.match(await verify('anna@example.org', 'secret'), {
    verdict: 'unavailable',
    isLasting: false,
    reason: /journal left by a crash/,
  });
  new SqliteFile(crashed).exec('SELECT * FROM users').close();
  t.same(await verify('anna@example.org', 'secret'), anna);
});
