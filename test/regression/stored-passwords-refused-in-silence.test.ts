// Rows that cannot be verified, and databases that cannot be read, over the wire: the client is told [SYS/PERM], the log says
// why, and nobody waits.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { SqliteFile } from '../support/accounts/sqlite-file.js';
import t, { type Test } from 'tap';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { makeInbox } from '../support/mail/maildir-fixture.js';
import { startProgram, type RunningProgram } from '../support/programs/run-program.js';
import { WireClient } from '../support/sessions/wire-client.js';
import { testFolder } from '../support/suite/test-folder.js';

const address = 'ann@example.org';

/** A mail root with a database of one user beside her mail. */
function makeSite(t: Test, stored: string): { readonly file: string; readonly cwd: string } {
  const cwd = testFolder(t, {});
  const file = join(cwd, 'passdb.sqlite');
  makePasswordDatabase(file, { [address]: stored });
  makeInbox(cwd, address);
  return { file, cwd };
}

interface Login {
  readonly program: RunningProgram;
  readonly reply: string;
}

async function logIn(
  t: Test,
  cwd: string,
  options: { readonly args?: readonly string[]; readonly env?: Record<string, string> } = {},
): Promise<Login> {
  const { args = [], env = {} } = options;
  const program = startProgram(t, 'pop3d', ['--failure-delay', '0', ...args], { cwd, env });
  const client = new WireClient(program.stdout, program.stdin);
  await client.status();
  await client.ok(`USER ${address}`);
  return { program, reply: await client.command('PASS secret') };
}

function crypt(setting: string): string {
  return execFileSync('perl', ['-e', 'print crypt("secret", shift)', setting]).toString();
}

const digest = (algorithm: string, salt = ''): string =>
  Buffer.concat([
    createHash(algorithm).update(`secret${salt}`).digest(),
    Buffer.from(salt),
  ]).toString('base64');

for (const [name, stored] of [
  ['MD5-CRYPT', `{MD5-CRYPT}${crypt('$1$saltsalt')}`],
  ['MD5-CRYPT', crypt('$1$saltsalt')],
  ['DES-CRYPT', `{CRYPT}${crypt('ab')}`],
  ['SSHA', `{SSHA}${digest('sha1', 'salt')}`],
  ['SMD5', `{SMD5}${digest('md5', 'salt')}`],
  ['SHA512', `{SHA512}${digest('sha512')}`],
  ['SHA256', `{SHA256}${digest('sha256')}`],
] as const) {
  t.test(`${stored.slice(0, 12)} is refused, and verified with --allow-weak-schemes`, async (t) => {
    const { cwd } = makeSite(t, stored);
    const refused = await logIn(t, cwd);
    t.match(refused.reply, /^-ERR \[SYS\/PERM\]/);
    t.ok(await refused.program.logLine(new RegExp(`user=ann@example.org.*scheme ${name} is weak`)));
    t.match((await logIn(t, cwd, { args: ['--allow-weak-schemes'] })).reply, /^\+OK/);
    t.match((await logIn(t, cwd, { env: { ALLOW_WEAK_SCHEMES: '1' } })).reply, /^\+OK/);
  });
}

t.test('crypt(3) could not be asked without perl, and nothing said so', async (t) => {
  const { cwd } = makeSite(t, crypt('$y$j75$saltsalt'));
  const { program, reply } = await logIn(t, cwd, { env: { PATH: join(cwd, 'nothing') } });
  t.match(reply, /^-ERR \[SYS\/PERM\]/);
  t.ok(await program.logLine(/user=ann@example.org.*yescrypt.*perl is not installed/));
  t.match((await logIn(t, cwd)).reply, /^\+OK/);
});

t.test('of two rows for one user the first counted', async (t) => {
  const { file, cwd } = makeSite(t, '{PLAIN}secret');
  const database = new SqliteFile(file);
  database.exec('CREATE TABLE copy AS SELECT * FROM users; DROP TABLE users');
  database.exec('ALTER TABLE copy RENAME TO users; INSERT INTO users SELECT * FROM users');
  database.close();
  const { program, reply } = await logIn(t, cwd);
  t.match(reply, /^-ERR \[SYS\/PERM\]/);
  t.ok(await program.logLine(/user=ann@example.org.*more than one row/));
});

t.test('a FIFO at passdb.sqlite-journal held the whole server up', async (t) => {
  const { file, cwd } = makeSite(t, '{PLAIN}secret');
  execFileSync('mkfifo', [`${file}-journal`]);
  const { program, reply } = await logIn(t, cwd);
  t.match(reply, /^-ERR \[SYS\/PERM\]/);
  t.ok(await program.logLine(/passdb\.sqlite-journal is a FIFO/));
});
