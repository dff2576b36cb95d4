// The run files of services/postfixadmin and services/mailcow, over tables as those programs make them.

import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SqliteFile } from '../support/accounts/sqlite-file.js';
import t, { type Test } from 'tap';
import { makeInbox } from '../support/mail/maildir-fixture.js';
import { builtProgram, startProgram } from '../support/programs/run-program.js';
import { connectWireClient } from '../support/sessions/wire-client.js';
import { testFolder } from '../support/suite/test-folder.js';

/** What `doveadm pw -s BLF-CRYPT` makes of "secret". */
const blowfish = '{BLF-CRYPT}$2y$05$EUnMWkdF3dAuAxIr.uP2N.4/sPCUuTgmmG1G9ANXaP1ovt8QiC6f6';

/** Starts tcpsrun with the service's run file, edited to read `database`; mail is beside it. @returns the port */
async function serve(t: Test, service: string, database: string): Promise<number> {
  const mailRoot = dirname(database);
  makeInbox(mailRoot, 'ann@example.org').add('Subject: hello\n\nworld\n');
  const path = fileURLToPath(new URL(`../../../services/${service}/pop3.run`, import.meta.url));
  const runFile = join(mailRoot, 'pop3.run');
  const text = readFileSync(path, 'utf8');
  writeFileSync(
    runFile,
    text.replace(/^(argument --passdb\n)argument .*$/m, `$1argument ${database}`),
  );
  const program = startProgram(t, 'tcpsrun', ['127.0.0.1', '0', runFile], {
    env: { POP3D: builtProgram('pop3d'), MAILROOT: mailRoot },
  });
  const [, port] = await program.logLine(/listening.*\bport=(\d+)/);
  return Number(port);
}

/** The answer to PASS. */
async function logIn(port: number, user: string): Promise<string> {
  const client = await connectWireClient(port);
  await client.status();
  await client.ok(`USER ${user}`);
  const answer = await client.command('PASS secret');
  client.destroy();
  return answer;
}

t.test('postfixadmin: active users of active domains log in', async (t) => {
  const file = join(testFolder(t, {}), 'postfixadmin.db');
  const database = new SqliteFile(file);
  database.exec(`
    CREATE TABLE domain (domain TEXT PRIMARY KEY, description TEXT, active INTEGER NOT NULL DEFAULT 1);
    CREATE TABLE mailbox (username TEXT PRIMARY KEY, password TEXT NOT NULL, name TEXT, maildir TEXT,
      quota INTEGER, local_part TEXT, domain TEXT, active INTEGER NOT NULL DEFAULT 1);
    INSERT INTO domain(domain, active) VALUES ('example.org', 1), ('off.example', 0);`);
  const insert = database.prepare(
    'INSERT INTO mailbox(username, password, domain, active) VALUES (?, ?, ?, ?)',
  );
  insert.run('ann@example.org', '{PLAIN}secret', 'example.org', 1);
  insert.run('off@example.org', '{PLAIN}secret', 'example.org', 0);
  insert.run('ann@off.example', '{PLAIN}secret', 'off.example', 1);
  insert.run('hash@example.org', blowfish, 'example.org', 1);
  database.close();
  const port = await serve(t, 'postfixadmin', file);
  t.match(await logIn(port, 'ann@example.org'), /^\+OK .*1 message/);
  t.match(await logIn(port, 'Ann@Example.org'), /^\+OK/);
  t.match(await logIn(port, 'hash@example.org'), /^\+OK/);
  t.match(await logIn(port, 'off@example.org'), /^-ERR \[AUTH\]/);
  t.match(await logIn(port, 'ann@off.example'), /^-ERR \[AUTH\]/);
});

t.test('mailcow: users who are active and allowed POP3 log in', async (t) => {
  const file = join(testFolder(t, {}), 'mailcow.sqlite');
  const database = new SqliteFile(file);
  database.exec(`CREATE TABLE mailbox (username TEXT PRIMARY KEY, password TEXT NOT NULL, kind TEXT,
    active INTEGER NOT NULL DEFAULT 1, attributes TEXT)`);
  const insert = database.prepare('INSERT INTO mailbox VALUES (?, ?, ?, ?, ?)');
  const allowed = '{"pop3_access":"1","imap_access":"1"}';
  insert.run('ann@example.org', blowfish, '', 1, allowed);
  insert.run('off@example.org', blowfish, '', 0, allowed);
  insert.run('imap@example.org', blowfish, '', 1, '{"pop3_access":"0"}');
  insert.run('room@example.org', blowfish, 'location', 1, allowed);
  database.close();
  const port = await serve(t, 'mailcow', file);
  t.match(await logIn(port, 'ann@example.org'), /^\+OK .*1 message/);
  for (const user of ['off', 'imap', 'room']) {
    t.match(await logIn(port, `${user}@example.org`), /^-ERR \[AUTH\]/, user);
  }
});
