// Application passwords: made by passdb, used with pop3d.

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loginClient } from '../../src/auth/accounts/login-client.js';
import { openAccounts } from '../../src/auth/open-accounts.js';
import { appPasswordsOnly } from '../support/accounts/documented-query.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { SqliteFile } from '../support/accounts/sqlite-file.js';
import { MaildirFixture, makeInbox } from '../support/mail/maildir-fixture.js';
import { startMailServer } from '../support/programs/mail-server.js';
import { runProgram, startProgram } from '../support/programs/run-program.js';
import { WireClient } from '../support/sessions/wire-client.js';
import { testFolder } from '../support/suite/test-folder.js';

const address = 'ann@example.org';

interface Site {
  readonly file: string;
  readonly folder: string;
  readonly passdb: (...args: readonly string[]) => Promise<Outcome>;
  /** Makes an application password. */
  readonly add: (...args: readonly string[]) => Promise<string>;
}

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function makeSite(t: Test): Site {
  const folder = testFolder(t);
  const file = join(folder, 'passdb.sqlite');
  makePasswordDatabase(file, { [address]: 'secret', 'bob@example.org': 'secret' });
  const passdb = async (...args: readonly string[]): Promise<Outcome> => {
    const { stdout, ...result } = await runProgram(t, 'passdb', ['--passdb', file, ...args]);
    return { ...result, stdout: stdout.toString() };
  };
  const add = async (...args: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await passdb('app', 'add', address, ...args);
    t.match({ status, stderr }, { status: 0, stderr: '' });
    t.match(stdout, /^(?:[a-z]{4}-){4}[a-z]{4}\n$/, 'printed once, and nothing else');
    return stdout.trim();
  };
  return { file, folder, passdb, add };
}

t.test('an application password logs in beside the main one, and its limits hold', async (t) => {
  const { file, folder, add } = makeSite(t);
  const limited = await add('--label', 'phone', '--read-only', '--days', '30');
  const whole = await add();
  const inbox = makeInbox(folder, address);
  inbox.add('Subject: old\n\n');
  const login = async (password: string): Promise<string> => {
    const program = startProgram(t, 'pop3d', ['--passdb', file, '--failure-delay', '0'], {
      cwd: folder,
    });
    const client = new WireClient(program.stdout, program.stdin);
    await client.status();
    await client.ok(`USER ${address}`);
    const answer = await client.command(`PASS ${password}`);
    await client.command('QUIT');
    await program.ending;
    return `${answer} ${/label=\S+/.exec(program.stderr)?.[0] ?? ''}`;
  };
  t.equal(await login('secret'), '+OK Logged in, 1 message ');
  t.equal(await login(whole), '+OK Logged in, 1 message label=app');
  t.equal(await login(limited), '+OK Logged in, 0 messages label=phone');
  t.equal(await login(limited.slice(1)), '-ERR [AUTH] Authentication failed ');
});

t.test('a server that is open sees the first application password at once', async (t) => {
  const { file, add } = makeSite(t);
  for (const rememberedRows of [0, 10]) {
    const accounts = openAccounts({ file, rememberedRows });
    t.teardown(() => accounts.close());
    const verdictOn = async (password: string): Promise<string> =>
      (await accounts.verifyPassword(Buffer.from(address), Buffer.from(password))).verdict;
    t.equal(await verdictOn('wrong'), 'rejected');
    t.equal(await verdictOn(await add('--label', `for ${rememberedRows}`)), 'accepted');
  }
});

t.test('SCRAM serves all application passwords of a user, with one salt', async (t) => {
  const { file, add, passdb } = makeSite(t);
  await runProgram(t, 'passdb', ['--passdb', file, 'set', address, '--scheme', 'SCRAM-SHA-256'], {
    input: 'secret\n',
  });
  await add('--label', 'phone');
  await add('--label', 'office', '--networks', '192.0.2.0/24');
  const accounts = openAccounts({ file });
  t.teardown(() => accounts.close());
  t.match(await accounts.lookUpScram(Buffer.from(address), loginClient('198.51.100.1')), {
    found: 'credentials',
    passwords: [
      { grant: { label: null }, refusal: null },
      { grant: { label: 'office' }, refusal: /other networks/ },
      { grant: { label: 'phone' }, refusal: null },
    ],
  });
  t.equal(await accounts.leastDays(), null);
  await passdb('app', 'add', address, '--days', '7');
  await passdb('app', 'add', address, '--days', '90');
  t.equal(await accounts.leastDays(), 7);
});

t.test('a client logs in by SCRAM with whichever password it has', async (t) => {
  const { file, folder, add } = makeSite(t);
  await runProgram(t, 'passdb', ['--passdb', file, 'set', address, '--scheme', 'SCRAM-SHA-256'], {
    input: 'secret\n',
  });
  const password = await add('--label', 'phone');
  makeInbox(folder, address);
  const { path: maildir } = new MaildirFixture(join(folder, 'fetched'));
  const { port, program } = await startMailServer(t, folder);
  for (const [given, status] of [
    ['secret', 0],
    [password, 0],
    [password.toUpperCase(), 100],
  ] as const) {
    const args = ['--byip', '--implicit', '--auth', 'scram-sha-256', '--port', String(port)];
    const result = await runProgram(
      t,
      'pop3get',
      [...args, '--directory', maildir, '127.0.0.1', address],
      { env: { POP3GET_PASSWORD: given } },
    );
    t.equal(result.status, status, result.stderr);
  }
  await program.logLine(/login .*mechanism=SCRAM-SHA-256 .*label=phone/);
});

t.test('an expired password is none, also where its row is remembered', async (t) => {
  const { file, add, passdb } = makeSite(t);
  const password = await add('--expires', '1');
  const accounts = openAccounts({ file, rememberedRows: 10 });
  t.teardown(() => accounts.close());
  const verdict = async (): Promise<string> =>
    (await accounts.verifyPassword(Buffer.from(address), Buffer.from(password))).verdict;
  t.equal(await verdict(), 'accepted');
  const now = Date.now;
  t.teardown(() => (Date.now = now));
  Date.now = () => now() + 2 * 86_400_000;
  t.equal(await verdict(), 'rejected');
  Date.now = now;
  const database = new SqliteFile(file);
  database.exec('UPDATE app_passwords SET expires = expires - 172800');
  database.close();
  t.match((await passdb('app', 'list')).stdout, /^ann@example\.org\tapp\texpired\t/);
});

t.test('list shows what is limited; check says which password it was', async (t) => {
  const { file, add, passdb } = makeSite(t);
  const password = await add('--label', 'my phone', '--networks', '192.0.2.0/24, ::1');
  const other = await add('--read-only', '--days', '3', '--expires', '10');
  t.match(
    (await passdb('app', 'list', address)).stdout.split('\n').sort().join('\n'),
    new RegExp(
      '^\nann@example.org\tapp\tactive\t[-0-9]{10}\t[-0-9]{10}\t-\tread-only\t3\n' +
        'ann@example.org\tmy phone\tactive\t[-0-9]{10}\t-\t192.0.2.0/24 ::1\t-\t-$',
    ),
  );
  const nothing = { status: 0, stdout: '', stderr: '' };
  t.match(await passdb('app', 'list', 'bob@example.org'), nothing);
  const unknown = 'passdb: eve@example.org: no such user\n';
  t.match(await passdb('app', 'list', 'eve@example.org'), { status: 1, stderr: unknown });
  const check = (input: string): Promise<unknown> =>
    runProgram(t, 'passdb', ['--passdb', file, 'check', address], { input });
  t.match(await check(other), { status: 0, stdout: Buffer.from('app\n') });
  t.match(await check('secret'), { status: 0, stdout: Buffer.from('') });
  const only = appPasswordsOnly("strftime('%s', 'now') + 0");
  const checkOnly = (input: string): Promise<unknown> =>
    runProgram(t, 'passdb', ['--passdb', file, '--passdb-query', only, 'check', address], {
      input,
    });
  t.match(await checkOnly(other), { status: 0, stdout: Buffer.from('app\n') });
  t.match(await checkOnly('secret'), { status: 1, stderr: /wrong password/ });
  t.match(await check(password), { status: 1, stderr: /"my phone" is for other networks/ });
  t.equal((await passdb('app', 'remove', address, '--label', 'my phone')).status, 0);
  t.match(await check(password), { status: 1, stderr: /wrong password/ });
});

t.test('a user who is disabled or removed has no application passwords', async (t) => {
  const { file, add, passdb } = makeSite(t);
  const password = await add();
  await passdb('disable', address);
  t.match(
    await runProgram(t, 'passdb', ['--passdb', file, 'check', address], { input: password }),
    {
      status: 1,
      stderr: /disabled user/,
    },
  );
  await passdb('remove', address);
  t.equal((await passdb('app', 'list')).stdout, '');
});

t.test('what cannot be is said, and nothing changes', async (t) => {
  const { passdb, add } = makeSite(t);
  await add('--label', 'phone');
  const rows: readonly (readonly [args: readonly string[], status: number, stderr: RegExp])[] = [
    [['add', 'eve@example.org'], 1, /no such user/],
    [['add', address, '--label', 'phone'], 1, /there is a password "phone" already/],
    [['remove', address, '--label', 'fax'], 1, /there is no password "fax"/],
    [['remove', address], 100, /needs --label/],
    [['add', address, '--label', ' x'], 100, /--label must be/],
    [['add', address, '--networks', 'home'], 100, /--networks: "home" is no network/],
    [['add', address, '--networks', ','], 100, /names no network/],
    [['add', address, '--days', '0'], 100, /--days/],
    [['list', address, '--days', '1'], 100, /--days goes with app add, not with app list/],
    [['add'], 100, /needs a user@domain/],
    [['show', address], 100, /no such command "app show"/],
    [[], 100, /app needs add, list or remove/],
    [['add', address, 'more'], 100, /unexpected argument "more"/],
  ];
  for (const [args, status, stderr] of rows) {
    t.match(await passdb('app', ...args), { status, stdout: '', stderr }, args.join(' '));
  }
  t.equal((await passdb('app', 'list')).stdout.trim().split('\n').length, 1);
});

t.test("Dovecot's documented query gives what it gave before", async (t) => {
  const { file, add } = makeSite(t);
  await add();
  const database = new SqliteFile(file);
  t.strictSame(
    database
      .prepare(
        "SELECT username, domain, password FROM users WHERE username = 'ann' AND domain = 'example.org' AND active = 'Y'",
      )
      .all(),
    [{ username: 'ann', domain: 'example.org', password: '{PLAIN}secret' }],
  );
  database.close();
});
