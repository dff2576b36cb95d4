// What the system does not start: the connection is closed with one line in the log, and the service goes on, idle.

import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { unlessTraceable } from '../faults/strace.js';
import { poll } from '../support/suite/deadline.js';
import { expectProgram, unlessInstalled, unlessRoot } from '../support/peers/debian.js';
import { joinIntoOnePem, makeCertificate } from '../support/accounts/certificate.js';
import { builtProgram, runCommand, startCommand } from '../support/programs/run-program.js';
import {
  counters,
  greeter,
  replaceText,
  startTcpsrun,
  type Tcpsrun,
} from '../support/programs/tcpsrun-fixture.js';

/** In the test's folder. */
const files: Readonly<Record<string, readonly [text: string, mode: number]>> = {
  'not-executable': ['#!/bin/sh\necho hello\n', 0o644],
  'no-interpreter': ['#!/nowhere/sh\n', 0o755],
  'no-signature': ['echo run by a shell\n', 0o755],
};

/** Lines of which each doubles what there is. */
const doublings = (count: number): string =>
  `setenv V ${'x'.repeat(1000)}\n${'setenv V %V%%V%\n'.repeat(count)}`;

const manyVariables = Array.from({ length: 30 }, (_, index) => `setenv W${index} %V%\n`).join('');

const broken: readonly (readonly [title: string, runFile: string, why: string])[] = [
  ['a file that may not be executed', 'program ./not-executable\n', 'permission denied'],
  ['a script without its interpreter', 'program ./no-interpreter\n', 'cannot be started: ENOENT'],
  [
    'more variables than the system takes',
    `${doublings(7)}${manyVariables}program /bin/true\n`,
    'cannot be started: E2BIG',
  ],
  [
    'a longer argument than the system takes',
    `${doublings(7)}program /bin/true\nargument true\nargument %V%%V%\n`,
    'test.run:11: argument: the value is longer than 131071 characters',
  ],
  [
    'variables that would fill the memory',
    `${doublings(60)}program /bin/true\n`,
    'setenv: the value is longer than 131071 characters',
  ],
];

async function startWith(t: Test, runFile: string, ...options: string[]): Promise<Tcpsrun> {
  const tcpsrun = await startTcpsrun(t, { runFile, options });
  for (const [name, [text, mode]] of Object.entries(files)) {
    writeFileSync(join(tcpsrun.directory, name), text);
    chmodSync(join(tcpsrun.directory, name), mode);
  }
  return tcpsrun;
}

async function received({ connect }: Tcpsrun): Promise<string> {
  const client = connect();
  const { received: text } = await client.end();
  client.socket.destroy();
  return text;
}

/** Processor time that a process has used, seconds. */
function secondsUsed(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  // In hundredths, which is what USER_HZ is everywhere.
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

for (const [title, runFile, why] of broken) {
  t.test(`${title}: each connection is closed with a line in the log`, async (t) => {
    const tcpsrun = await startWith(t, runFile);
    const before = secondsUsed(tcpsrun.program.pid);
    const count = 10;
    for (let number = 0; number < count; number += 1) t.equal(await received(tcpsrun), '');
    t.ok(secondsUsed(tcpsrun.program.pid) - before < 1, 'and nothing is tried again and again');
    t.match(await counters(tcpsrun), { accepted: count, served: 0, failed: count, running: 0 });
    const lines = tcpsrun.program.stderr.match(/^tcpsrun: refuse .*$/gm) ?? [];
    t.equal(lines.length, count);
    for (const line of lines) t.ok(line.includes(why), line);
    replaceText(tcpsrun, 'test.run', greeter);
    t.match(await tcpsrun.connect().firstLine(), /^\+OK/);
  });
}

t.test('a script without #! is run by the shell, as execvp(3) does', async (t) => {
  t.equal(await received(await startWith(t, 'program ./no-signature\n')), 'run by a shell\n');
});

t.test('a worker that cannot be started is tried more and more seldom', async (t) => {
  const tcpsrun = await startWith(t, 'program ./not-executable\n', '--workers', '2');
  for (const retry of ['0.1', '0.2', '0.4']) {
    await tcpsrun.program.logLine(
      new RegExp(`warning why=".*not-executable: .*" retry=${retry.replace('.', '\\.')}$`),
    );
  }
  t.equal(await received(tcpsrun), '');
  await tcpsrun.program.logLine(/refuse .*permission denied/);
  replaceText(tcpsrun, 'test.run', greeter);
  t.match(await tcpsrun.connect().firstLine(), /^\+OK/);
});

t.test(
  'while the system starts no process, connections are closed and logged; afterwards they are served',
  { skip: unlessTraceable() },
  async (t) => {
    const tcpsrun = await startWith(t, greeter);
    const trace = join(tcpsrun.directory, 'trace');
    // Only the main thread, which starts the programs.
    const strace = startCommand(t, expectProgram('strace'), [
      ...['-p', String(tcpsrun.program.pid), '-o', trace],
      ...['-e', 'trace=fork,vfork,clone,clone3'],
      ...['-e', 'inject=fork,vfork,clone,clone3:error=EAGAIN'],
    ]);
    await strace.logLine(/attached/);
    for (let number = 0; number < 5; number += 1) t.equal(await received(tcpsrun), '');
    t.match(await counters(tcpsrun), { served: 0, failed: 5, running: 0, held: 0 });
    await tcpsrun.program.logLine(/refuse .*program: \/bin\/sh: cannot be started: EAGAIN/);
    t.match(readFileSync(trace, 'latin1'), /= -1 EAGAIN .*\(INJECTED\)/);
    strace.kill('SIGINT');
    await strace.ending;
    t.match(await tcpsrun.connect().firstLine(), /^\+OK/);
  },
);

t.test(
  'a user who may have no more processes: connections are closed and logged',
  { skip: unlessRoot() || unlessInstalled('prlimit', 'setpriv') },
  async (t) => {
    const user = '61235';
    const tcpsrun = await startTcpsrun(t, {
      runFile: greeter,
      options: ['--user', user, '--group', user],
      // Its own threads are more than that already.
      under: ['prlimit', '--nproc=1:500'],
    });
    t.equal(await received(tcpsrun), '');
    await tcpsrun.program.logLine(/refuse .*cannot be started: EAGAIN/);
    const raised = await runCommand(t, 'setpriv', [
      ...[`--reuid=${user}`, `--regid=${user}`, '--clear-groups'],
      ...['prlimit', '--pid', String(tcpsrun.program.pid), '--nproc=500:500'],
    ]);
    t.equal(raised.status, 0, raised.stderr);
    const client = tcpsrun.connect();
    t.match(await client.firstLine(), /^\+OK/);
    client.socket.end('x\n');
    await poll('the session to end', async () =>
      (await counters(tcpsrun))['running'] === 0 ? true : undefined,
    );
  },
);

t.test(
  'workers whose key cannot be read are not started for ever, and again once it can',
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'faulty-'));
    t.teardown(() => {
      rmSync(folder, { recursive: true });
    });
    const pem = join(folder, 'one.pem');
    const args = ['node', builtProgram('pop3d'), '--tls-cert', pem, '%3'];
    const { connect, program } = await startTcpsrun(t, {
      runFile: `program ${process.execPath}\n${args.map((word) => `argument ${word}\n`).join('')}`,
      options: ['--workers', '1'],
    });
    await program.logLine(
      /warning why="a worker ends with a fault of configuration, which its line above names; none is started before SIGHUP, another run file, or a session that works"/,
    );
    t.match(program.stderr, /pop3d: fatal: .*one\.pem: no such file/);
    const startedCount = (): number => program.stderr.split('tcpsrun: worker pid=').length - 1;
    t.equal(startedCount(), 3);
    t.equal((await connect().end()).received, '', 'nor can a process of its own');
    t.equal(startedCount(), 3);
    joinIntoOnePem(makeCertificate(folder), pem);
    const client = connect();
    client.socket.end('QUIT\r\n');
    t.match((await client.end()).received, /^\+OK POP3 server ready/);
    await poll('a worker', () => Promise.resolve(startedCount() === 4 ? true : undefined));
  },
);
