// pop3ctl beside a running tcpsrun with pop3d: who is there, who is ended, and why a login failed.

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
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
    [['--log', join(folder, 'none'), 'why', 'a@b'], 100, 'option --log: ENOENT'],
    [['--last-login', join(folder, 'none'), 'why', 'a@b'], 100, 'option --last-login: '],
    [['--control', join(folder, 'none'), 'who'], 111, 'no tcpsrun is there (ENOENT)'],
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
