// Maildirs in other places than domain/user/INBOX: what holds there holds here.

import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { SqliteFile } from '../support/accounts/sqlite-file.js';
import t, { type Test } from 'tap';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { MaildirFixture } from '../support/mail/maildir-fixture.js';
import { unlessRoot } from '../support/peers/debian.js';
import { runProgram, startProgram, type RunningProgram } from '../support/programs/run-program.js';
import { WireClient } from '../support/sessions/wire-client.js';
import { testFolder } from '../support/suite/test-folder.js';

const [ann, bob] = [20_001, 20_002];
const skip = unlessRoot();

interface Host {
  /** The mail root, and what is around it. */
  readonly folder: string;
  /** Logs in with pop3d in the mail root. */
  readonly login: (address: string, ...args: readonly string[]) => Promise<Login>;
}

interface Login {
  readonly answer: string;
  readonly client: WireClient;
  readonly program: RunningProgram;
}

function makeHost(t: Test): Host {
  const folder = testFolder(t, {});
  chmodSync(folder, 0o755);
  const passdb = join(folder, 'passdb.sqlite');
  makePasswordDatabase(
    passdb,
    Object.fromEntries(
      ['ann@example.org', 'ann@example.net', 'bob@example.org'].map((name) => [name, 'secret']),
    ),
  );
  return {
    folder,
    login: async (address, ...args) => {
      const program = startProgram(
        t,
        'pop3d',
        ['--passdb', passdb, '--failure-delay', '0', ...args],
        { cwd: folder },
      );
      const client = new WireClient(program.stdout, program.stdin);
      await client.status();
      await client.ok(`USER ${address}`);
      return { answer: await client.command('PASS secret'), client, program };
    },
  };
}

function makeMaildir(path: string, uid = 0): MaildirFixture {
  const maildir = new MaildirFixture(path);
  maildir.add('Subject: hello\n\n');
  for (const name of ['', 'new', 'cur', 'tmp']) chownSync(join(path, name), uid, uid);
  for (const name of maildir.names('new')) chownSync(join(path, 'new', name), uid, uid);
  return maildir;
}

/** A query that gives a home or a maildrop with each password. */
function querying(column: string): readonly string[] {
  return [
    '--passdb-query',
    `SELECT password, ${column} FROM users WHERE username = :user AND domain = :domain`,
  ];
}

t.test('a template says where the Maildir is, relative or absolute', async (t) => {
  const { folder, login } = makeHost(t);
  for (const [template, path] of [
    ['{domain}/{user}', 'example.org/ann'],
    ['{domain}/{user}/Maildir', 'example.org/ann/Maildir'],
    ['{address}', 'ann@example.org'],
    [`${folder}/vmail/{domain}/{user}`, 'vmail/example.org/ann'],
  ] as const) {
    makeMaildir(join(folder, path));
    const { answer, client } = await login('ann@example.org', '--maildrop', template);
    t.equal(answer, '+OK Logged in, 1 message', template);
    await client.ok('DELE 1');
    await client.ok('QUIT');
    t.strictSame(new MaildirFixture(join(folder, path)).contents(), []);
  }
});

t.test('the account source gives a home, or the Maildir itself', async (t) => {
  const { folder, login } = makeHost(t);
  makeMaildir(join(folder, 'home/ann/Maildir'));
  const home = `'${folder}/home/' || username AS home`;
  for (const args of [
    ['--maildrop', '{home}/Maildir', ...querying(home)],
    querying(`'home/ann/Maildir/' AS maildrop`),
    querying(`'maildir:~/Maildir' AS maildrop, ${home}`),
  ]) {
    t.equal((await login('ann@example.org', ...args)).answer, '+OK Logged in, 1 message');
  }
  const { answer, program } = await login('ann@example.org', '--maildrop', '{home}/Maildir');
  t.equal(answer, '-ERR [SYS/PERM] The maildrop cannot be opened');
  await program.logLine(/the account source gives no home/);
});

t.test(
  'two names never come to one directory: the second is refused, and both named',
  async (t) => {
    const { folder, login } = makeHost(t);
    makeMaildir(join(folder, 'ann'));
    const args = ['--maildrop', '{user}', '--default-domain', 'Example.ORG.'];
    t.equal((await login('ann', ...args)).answer, '+OK Logged in, 1 message');
    const { answer, program } = await login('ann@example.net', ...args);
    t.equal(answer, '-ERR [SYS/PERM] The maildrop cannot be opened');
    await program.logLine(/ann@example\.net would have the maildrop of ann@example\.org/);
  },
);

t.test('what is wrong with places and sources is told before a client is greeted', async (t) => {
  const { folder } = makeHost(t);
  for (const [args, why] of [
    [['--maildrop', '{user}-{domain}'], /option --maildrop: two words/],
    [['--maildrop', '{nobody}'], /option --maildrop: unknown word "?in "{nobody}"/],
    [['--maildrop', '{user}'], /--default-domain/],
    [['--dovecot-control', '{user}'], /--dovecot-control goes with --uidl dovecot/],
    [['--uidl', 'dovecot', '--dovecot-control', '%d'], /--dovecot-control: every user would/],
    [['--passdb', 'dovecot:'], /names no file/],
    [['--passdb', 'postgresql:mail'], /it is written \/\/user@host/],
    [['--passdb', 'mysql:///mail?sslmode=require'], /parameter sslmode is not known/],
    [['--passdb', 'dovecot:/run/dovecot', '--passdb-query', 'SELECT 1'], /goes with an SQL source/],
    [['--passdb', 'mysql:///mail', '--passdb-query', 'SELECT :name'], /:name/],
  ] as const) {
    for (const input of ['', 'QUIT\r\n']) {
      const run = await runProgram(t, 'pop3d', args, { cwd: folder, input });
      t.match(run, { status: 100, stderr: why }, args.join(' '));
      t.equal(run.stdout.toString(), '');
    }
  }
});

t.test('a Maildir in another place than was told is named in the log', async (t) => {
  const { folder, login } = makeHost(t);
  const places = [
    ['example.org/ann', 'example.org/ann', []],
    ['example.org/ann/Maildir', 'example.org/ann/Maildir', []],
    ['example.org/ann/Maildir', 'example.org/ann/Maildir', ['--maildrop', '{domain}/{user}']],
  ] as const;
  for (const [path, named, args] of places) {
    rmSync(join(folder, 'example.org'), { recursive: true, force: true });
    makeMaildir(join(folder, path));
    const { answer, program } = await login('ann@example.org', ...args);
    t.equal(answer, '+OK Logged in, 0 messages');
    await program.logLine(new RegExp(`warning .*is no Maildir, but ${named} is: see --maildrop`));
  }
});

t.test('mail that may not be mounted is no empty maildrop', async (t) => {
  const { folder, login } = makeHost(t);
  mkdirSync(join(folder, 'vmail'));
  const args = ['--maildrop', `${folder}/vmail/{domain}/{user}`];
  const { answer, program } = await login('ann@example.org', ...args);
  t.equal(answer, '-ERR [SYS/TEMP] The maildrop cannot be opened at present');
  await program.logLine(/vmail is empty: is its file system not mounted/);
});

t.test("pop3d becomes the owner, and nothing of root's is left", { skip }, async (t) => {
  const { folder, login } = makeHost(t);
  makeMaildir(join(folder, 'home/ann/Maildir'), ann);
  chownSync(join(folder, 'home/ann'), ann, ann);
  const home = querying(`'${folder}/home/' || username AS home`);
  const { answer, program } = await login(
    'ann@example.org',
    ...['--maildrop', '{home}/Maildir', ...home],
  );
  t.equal(answer, '+OK Logged in, 1 message');
  t.match(
    readFileSync(`/proc/${program.pid}/status`, 'latin1'),
    /^Uid:\t20001\t20001\t20001\t20001$/m,
  );
});

t.test("a user's link to another user's mail is refused, wherever it is", { skip }, async (t) => {
  const { folder, login } = makeHost(t);
  const at = (path: string): string => join(folder, 'home', path);
  makeMaildir(at('bob/mail/inbox'), bob);
  for (const path of ['bob', 'bob/mail']) chownSync(at(path), bob, bob);
  mkdirSync(at('ann'));
  chownSync(at('ann'), ann, ann);
  symlinkSync('../bob/mail', at('ann/mail'));
  const home = `'${folder}/home/' || username AS home`;
  for (const args of [
    ['--maildrop', '{home}/mail/inbox', ...querying(home)],
    querying(`'home/' || username || '/mail/inbox' AS maildrop`),
    querying(`'~/mail/inbox' AS maildrop, ${home}`),
  ]) {
    const { answer, program } = await login('ann@example.org', ...args);
    t.equal(answer, '-ERR [SYS/PERM] The maildrop cannot be opened', args.join(' '));
    await program.logLine(/symbolic link of another user|different owners/);
    t.match(readFileSync(`/proc/${program.pid}/status`, 'latin1'), /^Uid:\t0\t/m, 'nobody');
    const own = await login('bob@example.org', ...args);
    t.equal(own.answer, '+OK Logged in, 1 message', 'who owns it reads it');
  }
  // The Maildir itself is never a link, even to one's own.
  symlinkSync('mail/inbox', at('bob/Maildir'));
  const { program } = await login(
    'bob@example.org',
    ...['--maildrop', '{home}/Maildir', ...querying(home)],
  );
  await program.logLine(/bob\/Maildir is a symbolic link/);
});

t.test("an administrator's link above the users' directories is followed", { skip }, async (t) => {
  const { folder, login } = makeHost(t);
  makeMaildir(join(folder, 'example.org/ann'), ann);
  symlinkSync('example.org', join(folder, 'example.net'));
  const args = ['--maildrop', '{domain}/{user}'];
  t.equal((await login('ann@example.net', ...args)).answer, '+OK Logged in, 1 message');
});

t.test('what a password allows holds for its session', async (t) => {
  const { folder, login } = makeHost(t);
  const passdb = join(folder, 'passdb.sqlite');
  const database = new SqliteFile(passdb);
  database.exec('CREATE TABLE policy (read_only, days, networks, label)');
  const allow = database.prepare('INSERT INTO policy VALUES (?, ?, ?, ?)');
  allow.run(1, 30, '192.0.2.0/24 ', 'phone');
  const maildir = makeMaildir(join(folder, 'example.org/ann/INBOX'));
  maildir.add('Subject: today\n\n', { name: `${Math.floor(Date.now() / 1000)}.M1P1.x` });
  const policy = [
    '--passdb-query',
    'SELECT password, policy.* FROM users, policy WHERE username = :user AND domain = :domain',
    '--mark-seen',
  ];
  const elsewhere = await login('ann@example.org', ...policy);
  t.equal(elsewhere.answer, '-ERR [AUTH] Authentication failed');
  await elsewhere.program.logLine(
    /failure .*code=AUTH .*the password \\"phone\\" is for other networks/,
  );
  t.strictSame(
    (await elsewhere.client.listing('CAPA')).filter((line) => line.startsWith('EXPIRE')),
    ['EXPIRE 1 USER'],
  );

  database.exec('UPDATE policy SET networks = NULL');
  const { answer, client, program } = await login('ann@example.org', ...policy);
  t.equal(answer, '+OK Logged in, 1 message');
  await program.logLine(/login .*user=ann@example\.org .*label=phone/);
  t.ok((await client.listing('CAPA')).includes('EXPIRE 30'));
  t.match((await client.message('RETR 1')).toString(), /^Subject: today/);
  t.equal(
    await client.command('DELE 1'),
    '-ERR [SYS/PERM] Messages may not be deleted with this password',
  );
  t.equal(await client.ok('QUIT'), '+OK Logging out');
  t.equal(maildir.names('new').length, 2, 'nothing was removed, flagged or moved');

  database.exec('UPDATE policy SET days = NULL, read_only = 0');
  database.close();
  const all = await login('ann@example.org', ...policy);
  t.equal(all.answer, '+OK Logged in, 2 messages');
  t.ok((await all.client.listing('CAPA')).includes('EXPIRE NEVER'));
});
