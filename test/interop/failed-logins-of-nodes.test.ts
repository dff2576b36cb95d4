// Nodes that tell each other of failed logins through the real PostgreSQL: two nodes give a guesser no more tries than one.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { startPostgresql, unlessPostgresql } from '../support/peers/postgresql.js';
import { startMailServer, type MailServer } from '../support/programs/mail-server.js';
import { replyToLogin } from '../support/sessions/wire-client.js';
import { poll } from '../support/suite/deadline.js';
import { testFolder } from '../support/suite/test-folder.js';

const skip = unlessPostgresql();
const schema = readFileSync(
  fileURLToPath(new URL('../../../services/postgresql/schema.sql', import.meta.url)),
  'utf8',
);

/** The accounts are in a file: what PostgreSQL does is of no concern to them. */
function makeMailRoot(t: Test): string {
  const mailRoot = testFolder(t);
  makePasswordDatabase(join(mailRoot, 'passdb.sqlite'), { 'ann@example.org': 'secret' });
  return mailRoot;
}

/** Until the worker is there, processes of their own serve, which tell nobody of failed logins. */
async function startNode(t: Test, mailRoot: string, failedLogins: string): Promise<MailServer> {
  const node = await startMailServer(t, mailRoot, {
    args: ['--workers', '1'],
    env: { FAILURE_DELAY: '1', FAILED_LOGIN_TABLE: failedLogins },
  });
  const [, worker = ''] = await node.program.logLine(/worker pid=(\d+)/);
  const served = new RegExp(`connect .*\\bpid=${worker}\\b`);
  await poll('the worker to serve', async () => {
    await logIn(node, 'secret');
    return served.test(node.program.stderr) ? true : undefined;
  });
  return node;
}

function logIn({ port }: MailServer, password: string): Promise<string> {
  return replyToLogin(port, 'ann@example.org', password);
}

t.test('what failed at one node delays the next answer of another', { skip }, async (t) => {
  const server = await startPostgresql(t, schema);
  const table = `postgresql:///mail?host=${server.folder}&user=pop3_failures`;
  const mailRoot = makeMailRoot(t);
  const one = await startNode(t, mailRoot, table);
  const other = await startNode(t, mailRoot, table);
  for (let times = 0; times < 2; times += 1) {
    t.match(await logIn(one, 'wrong'), /^-ERR \[AUTH\]/);
  }
  await poll('the table to have both', async () =>
    (await server.sql('SELECT network, count FROM failed_logins')) === '127.0.0.1|2\n'
      ? true
      : undefined,
  );
  await poll('both nodes to have asked since', async () =>
    (await server.sql(`SELECT count(*) FROM pg_stat_activity WHERE state = 'idle'
      AND query LIKE '%ORDER BY last_at%' AND query_start > (SELECT max(last_at) FROM failed_logins)`)) ===
    '2\n'
      ? true
      : undefined,
  );
  const startedMs = performance.now();
  t.match(await logIn(other, 'wrong'), /^-ERR \[AUTH\]/);
  t.ok(performance.now() - startedMs > 3500, 'the third failed login waits for four seconds');
  await poll('the table to have the third', async () =>
    (await server.sql('SELECT count FROM failed_logins')) === '3\n' ? true : undefined,
  );
  t.notMatch(one.program.stderr + other.program.stderr, /--failed-logins/);
});

t.test('while the table is away each node counts alone, and says so once', { skip }, async (t) => {
  const server = await startPostgresql(t, schema);
  const table = `postgresql:///mail?host=${server.folder}&user=pop3_failures`;
  const node = await startNode(t, makeMailRoot(t), table);
  t.match(await logIn(node, 'secret'), /^\+OK/);
  await server.kill();
  await node.program.logLine(/warning why="option --failed-logins: .*"/);
  t.match(await logIn(node, 'wrong'), /^-ERR \[AUTH\]/);
  t.match(await logIn(node, 'secret'), /^\+OK/);
  await server.start();
  t.match(await logIn(node, 'wrong'), /^-ERR \[AUTH\]/);
  await poll('the table to have it', async () =>
    /^127\.0\.0\.1\|[12]\n$/.test(await server.sql('SELECT network, count FROM failed_logins'))
      ? true
      : undefined,
  );
});

t.test('its role sees and changes nothing else', { skip }, async (t) => {
  const server = await startPostgresql(t, schema);
  const as = (statement: string): Promise<string> =>
    server.sql(`SET SESSION AUTHORIZATION pop3_failures; ${statement}`);
  for (const statement of [
    'SELECT * FROM users',
    'DELETE FROM users',
    'DROP TABLE failed_logins',
  ]) {
    await t.rejects(as(statement), /permission denied|must be owner/, statement);
  }
});

t.test('a source that cannot keep them is refused by name', { skip }, async (t) => {
  const mailRoot = makeMailRoot(t);
  for (const source of ['sqlite:failed.sqlite', 'mysql://mail@localhost/mail']) {
    const { program } = await startMailServer(t, mailRoot, {
      args: ['--workers', '1'],
      env: { FAILED_LOGIN_TABLE: source },
    });
    await program.logLine(/pop3d: fatal: option --failed-logins: it takes postgresql:/);
  }
  t.pass('both');
});
