// passdb with what editors, pastes and other programs leave in passwords, names and rows.

import { join } from 'node:path';
import { SqliteFile } from '../support/accounts/sqlite-file.js';
import t, { type Test } from 'tap';
import { runProgram, type Result } from '../support/programs/run-program.js';
import { testFolder } from '../support/suite/test-folder.js';

const address = 'anna@example.org';
const newFile = (t: Test): string => join(testFolder(t), 'passdb.sqlite');

function passdb(
  file: string,
  args: readonly string[],
  input: string | Buffer = '',
): Promise<Result> {
  return runProgram(t, 'passdb', ['--passdb', file, ...args], { input });
}

t.test('a byte order mark became a part of the password', async (t) => {
  const file = newFile(t);
  const add = ['add', address, '--scheme', 'SSHA256'];
  t.match(await passdb(file, add, '\ufeffsecret\r\n'), { status: 0, stderr: '' });
  for (const [typed, status] of [
    ['secret\n', 0],
    ['\ufeffsecret\n', 0],
    ['ecret\n', 1],
  ] as const) {
    t.equal((await passdb(file, ['check', address], typed)).status, status, typed);
  }
  t.match(await passdb(file, ['set', address], '\ufeff\n'), {
    status: 100,
    stderr: /password is empty/,
  });
  t.match(await passdb(file, ['set', address, '--scheme', 'PLAIN'], `\ufeff${'x'.repeat(512)}`), {
    status: 0,
  });
});

t.test('names with blanks at their ends were added, and nobody could log in', async (t) => {
  const file = newFile(t);
  for (const name of [
    ' anna@example.org',
    'anna @example.org',
    'anna@ example.org',
    'anna@example.org ',
    '\u00a0anna@example.org',
    'anna@example.org\u2003',
    '\ufeffanna@example.org',
  ]) {
    t.match(await passdb(file, ['add', name], 'x\n'), {
      status: 100,
      stderr: /has blanks at an end of a name/,
    });
  }
  const between = ['add', 'anna maria@example.org', '--scheme', 'PLAIN'];
  t.equal((await passdb(file, between, 'x\n')).status, 0);
});

t.test('what was added with blanks once can be removed', async (t) => {
  const file = newFile(t);
  await passdb(file, ['add', address, '--scheme', 'PLAIN'], 'x\n');
  const database = new SqliteFile(file);
  database.exec("UPDATE users SET username = 'anna '");
  database.close();
  t.equal((await passdb(file, ['remove', 'anna @example.org'])).status, 0);
  t.equal((await passdb(file, ['list'])).stdout.toString(), '');
});

t.test('a table called Users was not found', async (t) => {
  const file = newFile(t);
  const database = new SqliteFile(file);
  database.exec(`CREATE TABLE Users(Username TEXT, Domain TEXT, Password TEXT NOT NULL,
    Active CHAR(1) NOT NULL DEFAULT 'Y', PRIMARY KEY(Username, Domain))`);
  database.exec("INSERT INTO Users VALUES ('anna', 'example.org', '{PLAIN}secret', 'Y')");
  database.close();
  t.equal((await passdb(file, ['list'])).stdout.toString(), `${address}\tPLAIN\tactive\n`);
  t.match(await passdb(file, ['add', address], 'x\n'), { status: 1, stderr: /exists already/ });
  t.equal((await passdb(file, ['check', address], 'secret\n')).status, 0);
  t.equal((await passdb(file, ['set', address, '--scheme', 'PLAIN'], 'new\n')).status, 0);
  t.equal((await passdb(file, ['check', address], 'new\n')).status, 0);
  t.equal((await passdb(file, ['disable', address])).status, 0);
  t.equal((await passdb(file, ['list'])).stdout.toString(), `${address}\tPLAIN\tdisabled\n`);
});

t.test('list printed control characters of rows', async (t) => {
  const file = newFile(t);
  await passdb(file, ['add', address, '--scheme', 'PLAIN'], 'x\n');
  const database = new SqliteFile(file);
  const insert = database.prepare("INSERT INTO users VALUES (?, ?, ?, 'Y')");
  insert.run('b\u001b[2J\n', 'example\t.org', '{PLAIN}x');
  insert.run('c\u0085\u009b', 'example.org', '{\u001b]0;title\u0007}x');
  insert.run('d\u202e\u2028\u200b', 'example.org', '$\u001b[31m$');
  insert.run('caf\u00e9', 'example.org', '{SSHA256}x');
  database.close();
  const { status, stdout } = await passdb(file, ['list']);
  const unusable = 'unusable: crypt(3) password of type DES or none is not supported';
  t.equal(status, 0);
  t.equal(
    stdout.toString(),
    [
      'b\\u{1b}[2J\\u{a}@example\\u{9}.org\tPLAIN\tactive',
      'anna@example.org\tPLAIN\tactive',
      'caf\u00e9@example.org\tSSHA256\tunusable: stored SSHA256 password is malformed',
      `c\\u{85}\\u{9b}@example.org\tCRYPT\t${unusable}`,
      `d\\u{202e}\\u{2028}\\u{200b}@example.org\tCRYPT\t${unusable}`,
      '',
    ].join('\n'),
  );
});

t.test('check told two rows for one user by the first of them', async (t) => {
  const file = newFile(t);
  const database = new SqliteFile(file);
  database.exec(
    "CREATE TABLE users(username, domain, password, active); INSERT INTO users VALUES ('anna', 'example.org', '{PLAIN}a', 'Y'), ('anna', 'example.org', '{PLAIN}b', 'Y')",
  );
  database.close();
  t.match(await passdb(file, ['check', address], 'a\n'), {
    status: 100,
    stderr: /more than one row/,
  });
});
