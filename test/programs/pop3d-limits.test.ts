// The limits of pop3d as options of the program, and what it tells tcpsrun; what each limit means is tested on sessions.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { makeCertificate } from '../support/accounts/certificate.js';
import { makeInbox } from '../support/mail/maildir-fixture.js';
import { startMailServer } from '../support/programs/mail-server.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import {
  builtProgram,
  runProgram,
  startCommand,
  startProgram,
} from '../support/programs/run-program.js';
import { startTcpsrun } from '../support/programs/tcpsrun-fixture.js';
import { connectWireClient } from '../support/sessions/wire-client.js';
import { testFolder } from '../support/suite/test-folder.js';

function makeMailRoot(t: Test): string {
  const mailRoot = testFolder(t, {});
  fillMailRoot(mailRoot);
  return mailRoot;
}

function fillMailRoot(mailRoot: string): void {
  makePasswordDatabase(join(mailRoot, 'passdb.sqlite'), { 'ann@example.org': 'open sesame' });
  makeInbox(mailRoot, 'ann@example.org').add('a: b\n\nx\n');
}

/** So long that a busy machine's own time is little beside it. */
const failureDelay = 2;

const failing = 'USER ann@example.org\r\nPASS wrong\r\nQUIT\r\n';

t.test('a TLS handshake has its own deadline', async (t) => {
  const { cert, key } = makeCertificate(testFolder(t, {}));
  const program = startProgram(t, 'pop3d', [
    ...['--tls', '--tls-cert', cert, '--tls-key', key, '--handshake-timeout', '1'],
  ]);
  const startMs = performance.now();
  await program.logLine(/tls-failed .*error="the handshake took too long"/);
  t.ok(performance.now() - startMs > 900);
  t.equal((await program.finish()).status, 0);
});

t.test(
  'without a launcher a failed login waits by itself, and FAILED_LOGINS makes it longer',
  async (t) => {
    const cwd = makeMailRoot(t);
    const session = async (env: Record<string, string>): Promise<number> => {
      const program = startProgram(t, 'pop3d', ['--failure-delay', String(failureDelay)], {
        cwd,
        env,
      });
      const { stdout } = await program.finish(failing);
      t.match(stdout.toString(), /-ERR \[AUTH\]/);
      const [, seconds] = /logout .*seconds=([0-9.]+)/.exec(program.stderr) ?? [];
      return Number(seconds);
    };
    const [alone, fourth] = await Promise.all([session({}), session({ FAILED_LOGINS: '1' })]);
    t.ok(alone > failureDelay - 0.01 && alone < 2 * failureDelay - 0.01, `${alone} s`);
    t.ok(fourth > 2 * failureDelay - 0.01, `${fourth} s`);
  },
);

for (const workers of ['0', '1']) {
  t.test(`with --workers ${workers} the next session of the network waits longer`, async (t) => {
    const { program, connect, directory } = await startTcpsrun(t, {
      runFile: [
        `program ${process.execPath}`,
        ...[
          'node',
          builtProgram('pop3d'),
          '--failure-delay',
          String(failureDelay),
          '--report-fd',
          '%5',
          '%3',
        ].map((argument) => `argument ${argument}`),
      ].join('\n'),
      options: ['--workers', workers],
    });
    fillMailRoot(directory);
    const seconds: number[] = [];
    for (const from of ['127.0.0.8', '127.0.0.8', '127.0.0.9']) {
      const client = connect(from);
      await client.firstLine();
      const startMs = performance.now();
      client.socket.write(failing);
      await client.end();
      client.socket.end();
      seconds.push((performance.now() - startMs) / 1000);
    }
    const [first = 0, second = 0, other = 0] = seconds;
    t.ok(first > failureDelay - 0.01 && first < 2 * failureDelay - 0.01, `first ${first} s`);
    t.ok(second > 2 * failureDelay - 0.01, `second ${second} s`);
    t.ok(other < 2 * failureDelay - 0.01, `somebody else's ${other} s`);
    t.equal(program.stderr.match(/failure .*code=AUTH/g)?.length, 3);
  });
}

for (const args of [
  ['--concurrency', '1'],
  ['--concurrency', '1', '--workers', '1'],
]) {
  t.test(`tcpsrun ${args.join(' ')}: who is logged in stays, who is not gives way`, async (t) => {
    const { port, program } = await startMailServer(t, makeMailRoot(t), { args });
    const stranger = await connectWireClient(port);
    await stranger.status();
    await stranger.ok('USER ann@example.org');
    const user = await connectWireClient(port, '127.0.0.1', '127.0.0.9');
    await user.login('ann@example.org', 'open sesame');
    t.match((await stranger.rest()).toString(), /^-ERR \[SYS\/TEMP\] .*\r\n$/);
    stranger.end();
    await program.logLine(/evict peer=127\.0\.0\.1 .*for=127\.0\.0\.9/);
    const waiting = await connectWireClient(port);
    t.equal(await user.ok('STAT'), '+OK 1 11');
    await user.ok('QUIT');
    user.end();
    t.match(await waiting.status(), /^\+OK/);
    waiting.end();
  });
}

t.test(
  '--report-fd must be open, and one that nobody reads costs nothing but a warning',
  async (t) => {
    const cwd = makeMailRoot(t);
    const script = 'USER ann@example.org\r\nPASS open sesame\r\nQUIT\r\n';
    const closed = await runProgram(t, 'pop3d', ['--report-fd', '77'], { cwd, input: script });
    t.equal(closed.status, 100);
    t.match(closed.stderr, '--report-fd: descriptor 77 is not open');
    const input = await runProgram(t, 'pop3d', ['--report-fd', '0'], { cwd, input: script });
    t.equal(input.status, 100, 'the connection is none to report on');
    const unread = startProgram(t, 'pop3d', ['--report-fd', '3'], {
      cwd,
      fds: [null, null, null, null],
    });
    unread.closeDescriptor(3);
    const { status, stdout, stderr } = await unread.finish(script);
    t.equal(status, 0);
    t.match(stdout.toString(), /\+OK .*\r\n\+OK .*\r\n\+OK .*\r\n\+OK .*\r\n/);
    t.match(stderr, /warning why="descriptor 3: broken pipe"/);
  },
);

t.test(
  '--report-fd gets a word for the start, each failed login with its delay, and the login',
  async (t) => {
    const cwd = makeMailRoot(t);
    const pop3d = startCommand(
      t,
      'sh',
      [
        '-c',
        `exec "${process.execPath}" "$0" --failure-delay 0 --report-fd 3 3>words`,
        builtProgram('pop3d'),
      ],
      { cwd },
    );
    const { status } = await pop3d.finish(
      'USER ann@example.org\r\nPASS wrong\r\nUSER ann@example.org\r\nPASS open sesame\r\nQUIT\r\n',
    );
    t.equal(status, 0);
    t.equal(
      readFileSync(join(cwd, 'words'), 'latin1'),
      'ready\nfailed-login 0\nlogin ann%40example.org\n',
    );
  },
);
