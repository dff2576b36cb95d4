// pop3ctl beside a running tcpsrun with pop3d: who is there, who is ended, and why a login failed.

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { LastLogins } from '../../src/auth/sqlite/last-logins.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { makeInbox, type MaildirFixture } from '../support/mail/maildir-fixture.js';
import { builtProgram, runProgram, type Result } from '../support/programs/run-program.js';
import { startTcpsrun, type Tcpsrun } from '../support/programs/tcpsrun-fixture.js';
import { connectWireClient, type WireClient } from '../support/sessions/wire-client.js';
import { poll } from '../support/suite/deadline.js';

interface Served {
  readonly tcpsrun: Tcpsrun;
  readonly control: string;
  readonly inbox: MaildirFixture;
  readonly connect: (from?: string) => Promise<WireClient>;
  readonly logIn: (from?: string) => Promise<WireClient>;
  readonly ctl: (...args: readonly string[]) => Promise<Result>;
}

/** A path for a Unix socket has room for 107 octets, which a test's folder may exceed. */
function shortFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'pop3ctl-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

async function serve(t: Test, workers: number): Promise<Served> {
  const control = join(shortFolder(t), 'control');
  const args = ['--last-login', 'last.sqlite', '--log-messages', '--report-fd', '%5', '%3'];
  const tcpsrun = await startTcpsrun(t, {
    runFile: [
      `program ${process.execPath}`,
      ...['node', builtProgram('pop3d'), '--log-time', ...args].map((word) => `argument ${word}`),
    ].join('\n'),
    options: ['--workers', String(workers), '--control', control],
  });
  makePasswordDatabase(join(tcpsrun.directory, 'passdb.sqlite'), { 'ann@example.org': 'x' });
  const inbox = makeInbox(tcpsrun.directory, 'ann@example.org');
  inbox.add('a: b\n\nc\n');
  const connect = async (from = '127.0.0.1'): Promise<WireClient> => {
    const client = await connectWireClient(tcpsrun.port, '127.0.0.1', from);
    t.teardown(() => client.destroy());
    return client;
  };
  if (workers > 0) {
    await poll('the worker to serve', async () => {
      const client = await connect();
      await client.status();
      await client.ok('QUIT');
      client.end();
      const served = /worker pid=([0-9]+)\n[^]*connect [^\n]*pid=\1\n/;
      return served.test(tcpsrun.program.stderr) ? true : undefined;
    });
  }
  return {
    ...{ tcpsrun, control, inbox, connect },
    logIn: async (from) => {
      const client = await connect(from);
      await client.login('ann@example.org', 'x');
      return client;
    },
    ctl: (...words) => runProgram(t, 'pop3ctl', ['--control', control, ...words]),
  };
}

for (const workers of [0, 1]) {
  t.test(
    `sessions are shown and ended, ${workers === 0 ? 'each with a process' : 'in a kept worker'}`,
    async (t) => {
      const { tcpsrun, control, inbox, connect, logIn, ctl } = await serve(t, workers);
      t.equal(statSync(control).mode & 0o777, 0o600);
      const [one, other] = [await logIn('127.0.0.7'), await logIn('127.0.0.8')];
      const stranger = await connect('127.0.0.9');
      await stranger.status();
      const lines = await poll('three sessions', async () => {
        const rows = (await ctl('who')).stdout.toString().trimEnd().split('\n').slice(1);
        const mine = rows.filter((row) => /^[0-9]+ +127\.0\.0\.[789] /.test(row));
        return mine.length === 3 &&
          mine.filter((row) => row.endsWith(' ann@example.org')).length === 2
          ? mine
          : undefined;
      });
      t.match(lines[0], /^[0-9]+ +127\.0\.0\.7 +[0-9]+ +- +1 +[0-9]+ +[0-9]+ +ann@example\.org$/);
      t.match(lines[2], / -$/, 'who has not logged in has no name');

      await one.ok('DELE 1');
      const kicked = await ctl('kick', '127.0.0.7');
      t.equal(kicked.status, 0);
      t.match(kicked.stdout.toString(), /127\.0\.0\.7 .*ann@example\.org\n$/);
      await one.rest();
      t.equal(inbox.contents().length, 1, 'nothing is deleted without QUIT');
      await other.ok('NOOP');
      t.equal((await ctl('kick', 'ANN@example.org')).status, 0);
      await other.rest();
      const [id = ''] = (lines[2] ?? '').split(' ');
      t.equal((await ctl('kick', id)).status, 0);
      await stranger.rest();
      t.equal((await ctl('kick', 'nobody@example.org')).status, 1);
      await tcpsrun.program.logLine(/pop3d: logout .*reason=signal/);
      await tcpsrun.program.logLine(/kick whom=127\.0\.0\.7/);
      t.match((await ctl('counters')).stdout.toString(), /^accepted [0-9]+\n[^]*^logins 2\n/m);
    },
  );
}

t.test(
  'why: who fetched, who deleted, what failed, the last login, and what rules say',
  async (t) => {
    const { tcpsrun, connect, logIn, ctl } = await serve(t, 0);
    const client = await logIn('127.0.0.7');
    await client.message('RETR 1');
    await client.ok('DELE 1');
    await client.ok('QUIT');
    const wrong = await connect('127.0.0.8');
    await wrong.status();
    await wrong.ok('USER ann@example.org');
    t.match(await wrong.command('PASS wrong'), /^-ERR \[AUTH\]/);
    const log = join(tcpsrun.directory, 'log');
    const rules = join(tcpsrun.directory, 'rules');
    const file = join(tcpsrun.directory, 'last.sqlite');
    writeFileSync(rules, '192.0.2.0/24 0\ndefault 1\n');
    await tcpsrun.program.logLine(/pop3d: failure .*user=ann/);
    const why = async (user: string, from: string): Promise<Result> => {
      writeFileSync(log, tcpsrun.program.stderr);
      const sources = ['--log', log, '--last-login', file, '--rules', rules, '--from', from];
      return ctl(...sources, 'why', user);
    };
    const text = await poll('the last login', async () => {
      const { stdout } = await why('ann@example.org', '192.0.2.7');
      return /last logins:\n/.test(stdout.toString()) ? stdout.toString() : undefined;
    });
    t.match(text, /^user: ann@example\.org\n/);
    t.match(text, /^last logins:\n {2}pop3 20[0-9TZ:-]+ from 127\.0\.0\.7 by USER\n/m);
    t.match(text, /^ {2}20[0-9-]+T\S+Z login mechanism=USER messages=1\n/m);
    t.match(text, /^ {2}20\S+Z message .*dele=?/m);
    t.match(text, /^ {2}20\S+Z failure peer=127\.0\.0\.8 code=AUTH mechanism=USER reason=/m);
    t.match(text, /^from 192\.0\.2\.7: level 0, denied \(.*rules:1: 192\.0\.2\.0\/24\)\n$/m);
    const unknown = (await why('bob@example.org', '127.0.0.1')).stdout.toString();
    t.match(unknown, /last logins: none\n\nlog: none\n\nfrom 127\.0\.0\.1: level 1 /);
    t.ok(readFileSync(file).length > 0);
  },
);

t.test(
  'why: hundreds of messages are one line, names are folded as logins fold them',
  async (t) => {
    const folder = shortFolder(t);
    const [log, last] = [join(folder, 'log'), join(folder, 'last.sqlite')];
    const messages = Array.from({ length: 303 }, (_, index) => {
      const why = index === 300 ? 'failed why="read-only"' : index < 300 ? 'removed' : 'no';
      return `pop3d: message session=1 user=ann@example.org number=${index} retr=whole top=no dele=${why}`;
    });
    const lines = [
      'pop3d: connect session=1 peer=127.0.0.7 level=1',
      'pop3d: login session=1 user=ann@example.org mechanism=USER messages=303',
      ...messages,
      'pop3d: logout session=1 reason=quit',
      'pop3d: failure session=2 peer=127.0.0.8 code=AUTH user=ann mechanism=USER reason="wrong password"',
      'pop3d: failure session=3 peer=127.0.0.9 code=AUTH user=ann@example.net mechanism=USER reason=x',
    ];
    writeFileSync(log, `${lines.join('\n')}\n`);
    const logins = new LastLogins({ file: last, onWarning: (why) => t.fail(why) });
    logins.note({
      ...{ user: 'ann', domain: 'example.org', service: 'pop3', at: '2026-11-29T10:00:00Z' },
      ...{ peer: '127.0.0.7', mechanism: 'USER', tls: null, label: null },
    });
    logins.writeAndClose();
    const why = async (...args: readonly string[]): Promise<string> => {
      const result = await runProgram(t, 'pop3ctl', ['--log', log, ...args]);
      t.match(result, { status: 0, stderr: '' });
      return result.stdout.toString();
    };
    t.equal(
      await why('--last-login', last, 'why', 'Ann@Example.ORG.'),
      [
        'user: ann@example.org\n\nlast logins:',
        '  pop3 2026-11-29T10:00:00Z from 127.0.0.7 by USER\n\nlog:',
        '  connect peer=127.0.0.7 level=1',
        '  login mechanism=USER messages=303',
        '  303 messages, 303 retr=whole, 300 dele=removed, 1 dele=failed',
        '  message number=300 retr=whole top=no dele=failed why=read-only',
        '  logout reason=quit',
        '  failure peer=127.0.0.8 code=AUTH user=ann mechanism=USER reason="wrong password"\n',
      ].join('\n'),
    );
    t.equal((await why('--messages', 'why', 'ann@example.org')).match(/ message /g)?.length, 303);
    const other = await why('--default-domain', 'example.com', 'why', 'ann@example.org');
    t.notMatch(other, /user=ann/);
  },
);

t.test('why: what the account sources say of a login from an address now', async (t) => {
  const folder = shortFolder(t);
  const file = join(folder, 'passdb.sqlite');
  makePasswordDatabase(file, { 'ann@example.org': '{MD5}x', 'bob@example.org': 'x' });
  const passdb = (...args: readonly string[]): Promise<Result> =>
    runProgram(t, 'passdb', ['--passdb', file, ...args]);
  await passdb('app', 'add', '--networks', '192.0.2.0/24', '--label', 'phone', 'ann@example.org');
  await passdb('app', 'add', '--days', '7', '--read-only', '--label', 'tv', 'ann@example.org');
  await passdb('disable', 'bob@example.org');
  const rules = join(folder, 'rules');
  writeFileSync(rules, '198.51.100.0/24 0\ndefault 1\n');
  const why = async (
    user: string,
    from: string,
    ...sources: readonly string[]
  ): Promise<string> => {
    const asked = [...sources, file].flatMap((source) => ['--passdb', source]);
    const args = ['--rules', rules, '--from', from, ...asked, 'why', user];
    const result = await runProgram(t, 'pop3ctl', args);
    t.match(result, { status: 0, stderr: '' });
    return result.stdout.toString();
  };
  t.equal(
    await why('ANN@example.org', '198.51.100.1', 'checkpassword:/bin/false'),
    [
      'user: ann@example.org\n',
      `from 198.51.100.1: level 0, denied (${rules}:1: 198.51.100.0/24)\n`,
      'a login now from 198.51.100.1:',
      '  /bin/false: says only whether a password is right',
      `  ${file}: the password, MD5: cannot be verified, password scheme MD5 is not supported`,
      `  ${file}: "phone", SCRAM-SHA-256: refused, the password "phone" is for other networks than 198.51.100.1`,
      `  ${file}: "tv", SCRAM-SHA-256, read-only, 7 days: accepted\n`,
    ].join('\n'),
  );
  t.match(await why('ann@example.org', '192.0.2.1'), /"phone", SCRAM-SHA-256: accepted\n/);
  t.match(
    await why('bob@example.org', '192.0.2.1'),
    /the password, PLAIN: refused, disabled user\n/,
  );
  t.match(await why('eve@example.org', '192.0.2.1'), /passdb\.sqlite: no such user\n$/);
  const missing = await why('ann@example.org', '192.0.2.1', join(folder, 'none'));
  t.match(missing, /none: no login is possible: .*\n$/, 'the next is not asked, as by pop3d');
});

t.test('wrong usage, and nobody who answers', async (t) => {
  const folder = shortFolder(t);
  const run = async (...args: readonly string[]): Promise<readonly [number | null, string]> => {
    const { status, stderr } = await runProgram(t, 'pop3ctl', args);
    return [status, stderr];
  };
  for (const [args, status, says] of [
    [['who'], 100, 'option --control is missing'],
    [['what'], 100, 'unknown command "what"'],
    [['--control', 'x', 'kick'], 100, 'kick takes 1 more arguments'],
    [['why', 'ann'], 100, '"ann" is no user@domain'],
    [['why', 'ann@example.org'], 100, 'why needs --log'],
    [['--from', 'x', 'why', 'a@b'], 100, 'option --from needs an IPv4 or IPv6 address'],
    [['--log', join(folder, 'none'), 'why', 'a@b'], 100, 'none: no such file'],
    [['--last-login', join(folder, 'none'), 'why', 'a@b'], 100, 'option --last-login: '],
    [['--control', join(folder, 'none'), 'who'], 111, 'no tcpsrun is there: no such file'],
  ] as const) {
    const [code, stderr] = await run(...args);
    t.equal(code, status, args.join(' '));
    t.ok(stderr.includes(says), stderr);
  }
});

t.test('a control socket that was left is replaced, anything else is not', async (t) => {
  const folder = shortFolder(t);
  const left = join(folder, 'left');
  const server = createServer().listen(left);
  await new Promise((resolve) => server.once('listening', resolve));
  const runFile = 'program sh\nargument sh\n';
  const start = (control: string): Promise<Tcpsrun> =>
    startTcpsrun(t, { runFile, options: ['--control', control] });
  writeFileSync(join(folder, 'x.run'), runFile);
  const refusedAt = async (control: string): Promise<string> => {
    const args = ['--control', control, '127.0.0.1', '0', 'x.run'];
    const { status, stderr } = await runProgram(t, 'tcpsrun', args, { cwd: folder });
    t.equal(status, 100);
    return stderr;
  };
  t.match(await refusedAt(left), /option --control: .*left: another tcpsrun listens there/);
  t.match(await refusedAt(join(folder, 'x.run')), /x\.run: is there and is no socket/);
  const tcpsrun = await start(join(folder, 'own'));
  tcpsrun.program.kill('SIGKILL');
  await tcpsrun.program.finish();
  await start(join(folder, 'own'));
  t.equal((await runProgram(t, 'pop3ctl', ['--control', join(folder, 'own'), 'who'])).status, 0);
  server.close();
});
