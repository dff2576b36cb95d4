// Both engines do the same, as far as this project goes by it. What this Node has none of is skipped.

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadBetterEngine } from '../../../../src/system/sqlite/better-engine.js';
import { tryNodeEngine } from '../../../../src/system/sqlite/node-engine.js';
import { requireSqlite } from '../../../../src/system/sqlite/open-sqlite.js';
import {
  inTransaction,
  pragma,
  SqliteError,
  type SqliteDatabase,
  type SqliteEngine,
} from '../../../../src/system/sqlite/sqlite.js';

function tryBetterEngine(): SqliteEngine | null {
  try {
    return loadBetterEngine();
  } catch {
    return null;
  }
}

const engines = [
  { name: 'better-sqlite3', engine: tryBetterEngine() },
  { name: 'node:sqlite', engine: tryNodeEngine() },
];

t.test('better-sqlite3 is used where it is there', (t) => {
  t.equal(requireSqlite().name, engines.find(({ engine }) => engine !== null)?.name);
  t.end();
});

for (const { name, engine } of engines) {
  const skip = engine === null && `Node ${process.versions.node} has no ${name}`;
  t.test(name, { skip }, (t) => {
    if (engine !== null) runAll(t, engine);
    t.end();
  });
}

function runAll(t: Test, engine: SqliteEngine): void {
  const open = (path: string, access: 'read' | 'write' = 'write'): SqliteDatabase =>
    engine.open(path, { access, busyTimeoutMs: 0 });
  const newDatabase = (t: Test): { readonly path: string; readonly database: SqliteDatabase } => {
    const path = join(t.testdir({ 'odd name?#%41é': '' }), 'odd name?#%41é');
    const database = open(path);
    t.teardown(() => database.close());
    return { path, database };
  };

  t.test('rows are arrays, blobs are buffers, and columns tell where they come from', (t) => {
    const { database } = newDatabase(t);
    database.exec(
      "CREATE TABLE a(n, t, b); INSERT INTO a VALUES (7, 'x', x'00ff'), (8, NULL, 1.5)",
    );
    const statement = database.prepare('SELECT n, n, t AS text, b, 1 + 1 FROM a');
    t.strictSame(
      [...statement.rows()],
      [
        [7, 7, 'x', Buffer.of(0, 255), 2],
        [8, 8, null, 1.5, 2],
      ],
    );
    t.match(statement.columns(), [
      { name: 'n', table: 'a', column: 'n' },
      { name: 'n' },
      { name: 'text', table: 'a', column: 't' },
      { name: 'b' },
      { table: null, column: null },
    ]);
    t.equal(statement.isReader, true);
    t.equal(database.prepare('DELETE FROM a').isReader, false);
    t.strictSame(database.prepare('SELECT n FROM a', 'bigint').first(), [7n]);
    t.equal(database.prepare('SELECT n FROM a WHERE n = 9').first(), undefined);
    t.end();
  });

  t.test('a loop over rows that is left lets the statement be used again', (t) => {
    const { database } = newDatabase(t);
    database.exec('CREATE TABLE a(n); INSERT INTO a VALUES (1), (2), (3)');
    const statement = database.prepare('SELECT n FROM a');
    for (const row of statement.rows()) {
      t.strictSame(row, [1]);
      break;
    }
    t.equal([...statement.rows()].length, 3);
    database.exec('DROP TABLE a');
    t.end();
  });

  t.test('named parameters may be given that a statement does not have', (t) => {
    const { database } = newDatabase(t);
    const statement = database.prepare('SELECT :user || $domain');
    const parameters = { user: 'anna', domain: 'x', address: 'anna@x' };
    t.strictSame(statement.first(parameters), ['annax']);
    t.strictSame([...statement.rows(parameters)], [['annax']]);
    t.end();
  });

  for (const sql of ['SELECT :user, :other', 'SELECT :user, ?', 'SELECT ?']) {
    t.test(`a parameter that is not given is an error: ${sql}`, (t) => {
      const { database } = newDatabase(t);
      const statement = database.prepare(sql);
      for (const use of [
        () => statement.first({ user: 'anna' }),
        () => [...statement.rows({ user: 'anna' })],
      ]) {
        t.throws(use, { name: 'SqliteError', code: '' });
      }
      t.end();
    });
  }

  t.test('too few and too many values are an error', (t) => {
    const { database } = newDatabase(t);
    for (const values of [[], [1], [1, 2, 3]]) {
      t.throws(() => database.prepare('SELECT ?, ?').first(values), SqliteError);
    }
    t.strictSame(database.prepare('SELECT ?, ?').first([1, Buffer.of(1)]), [1, Buffer.of(1)]);
    t.end();
  });

  t.test('run tells how many rows changed', (t) => {
    const { database } = newDatabase(t);
    database.exec('CREATE TABLE a(n)');
    t.equal(database.prepare('INSERT INTO a VALUES (?), (?)').run([1, 2]), 2);
    t.equal(database.prepare('DELETE FROM a WHERE n = :n').run({ n: 3 }), 0);
    t.end();
  });

  t.test('a lock is SQLITE_BUSY, and goes with the database that is closed', (t) => {
    const { path, database } = newDatabase(t);
    const other = open(path);
    other.exec('BEGIN EXCLUSIVE');
    t.throws(() => database.exec('CREATE TABLE a(n)'), { code: 'SQLITE_BUSY' });
    t.throws(() => open(path, 'read').prepare('SELECT 1 FROM sqlite_master'), {
      code: 'SQLITE_BUSY',
    });
    other.close();
    database.exec('CREATE TABLE a(n)');
    t.end();
  });

  t.test('what is only read is not written, and no file is made', (t) => {
    const { path, database } = newDatabase(t);
    database.exec('CREATE TABLE a(n)');
    const reader = open(path, 'read');
    t.throws(() => reader.exec('DROP TABLE a'), { code: 'SQLITE_READONLY' });
    reader.close();
    for (const access of ['read', 'write'] as const) {
      t.throws(() => open(`${path}.none`, access), { code: 'SQLITE_CANTOPEN' });
    }
    t.equal(existsSync(`${path}.none`), false);
    t.end();
  });

  t.test('a file that is no database, and a wrong statement, have their codes', (t) => {
    const { path, database } = newDatabase(t);
    t.throws(() => database.prepare('SELEC'), { code: 'SQLITE_ERROR' });
    writeFileSync(`${path}.text`, 'x'.repeat(4096));
    t.throws(() => open(`${path}.text`).prepare('SELECT 1 FROM sqlite_master'), {
      code: 'SQLITE_NOTADB',
    });
    database.exec('CREATE TABLE a(n UNIQUE); INSERT INTO a VALUES (1)');
    t.throws(() => database.prepare('INSERT INTO a VALUES (1)').run(), { code: /^SQLITE_CONSTR/ });
    t.throws(() => database.prepare('SELECT "text" FROM a'), { code: 'SQLITE_ERROR' });
    t.end();
  });

  t.test('a transaction is done whole or not at all', (t) => {
    const { database } = newDatabase(t);
    database.exec('CREATE TABLE a(n)');
    const count = database.prepare('SELECT count(*) FROM a');
    t.equal(
      inTransaction(database, () => database.prepare('INSERT INTO a VALUES (1)').run()),
      1,
    );
    t.throws(
      () =>
        inTransaction(database, () => {
          database.exec('INSERT INTO a VALUES (2)');
          throw new Error('no');
        }),
      { message: 'no' },
    );
    t.strictSame(count.first(), [1]);
    t.equal(pragma(database, 'user_version'), 0);
    t.end();
  });
}
