// Several listeners in one tcpsrun: they share slots, failed logins, counters and workers, and each has its run file.

import { connect } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { unlessInstalled } from '../support/peers/debian.js';
import {
  builtProgram,
  runProgram,
  startCommand,
  startProgram,
  type RunningProgram,
} from '../support/programs/run-program.js';
import { Client, counters, greeter, shellRunFile } from '../support/programs/tcpsrun-fixture.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { makeCertificate } from '../support/accounts/certificate.js';
import { shakeHands } from '../support/sessions/tls-conversation.js';
import { connectWireClient } from '../support/sessions/wire-client.js';
import { poll } from '../support/suite/deadline.js';
import { testFolder } from '../support/suite/test-folder.js';

interface Both {
  readonly program: RunningProgram;
  readonly ports: readonly number[];
}

async function portsOf(program: RunningProgram, count: number): Promise<readonly number[]> {
  const ports = await poll('all to listen', () => {
    const found = [...program.stderr.matchAll(/listening address=\S+ port=([0-9]+)\n/g)];
    return Promise.resolve(
      found.length === count ? found.map(([, port]) => Number(port)) : undefined,
    );
  });
  return ports;
}

/** Two run files `a.run` and `b.run`. */
async function startBoth(
  t: Test,
  files: { readonly 'a.run': string; readonly 'b.run': string },
  options: readonly string[] = [],
): Promise<Both> {
  const cwd = testFolder(t, files);
  const listeners = ['127.0.0.1', '0', 'a.run', '127.0.0.1', '0', 'b.run'];
  const program = startProgram(t, 'tcpsrun', [...options, ...listeners], { cwd });
  return { program, ports: await portsOf(program, 2) };
}

function client(t: Test, port: number | undefined, from = '127.0.0.1'): Client {
  const made = new Client(port ?? 0, from);
  t.teardown(() => {
    made.socket.destroy();
  });
  return made;
}

t.test('each listener starts its own run file, and the log says where a client came', async (t) => {
  const files = { 'a.run': shellRunFile('echo a %1 %2'), 'b.run': shellRunFile('echo b %1 %2') };
  const { program, ports } = await startBoth(t, files);
  t.equal((await client(t, ports[0]).end()).received, 'a 0 a.run\n');
  t.equal((await client(t, ports[1]).end()).received, 'b 0 b.run\n');
  for (const port of ports) {
    await program.logLine(
      new RegExp(`connect peer=127\\.0\\.0\\.1 port=[0-9]+ on=${port} level=1`),
    );
  }
});

t.test('they share slots and counters', async (t) => {
  const options = ['--concurrency', '1', '--metrics', 'm.prom'];
  const { program, ports } = await startBoth(t, { 'a.run': greeter, 'b.run': greeter }, options);
  const first = client(t, ports[0]);
  await first.firstLine();
  const second = client(t, ports[1]);
  const tcpsrun = { program } as Parameters<typeof counters>[0];
  await poll('one to be held', async () =>
    (await counters(tcpsrun))['held'] === 1 ? true : undefined,
  );
  first.socket.end('x\n');
  await second.firstLine();
  t.match(await counters(tcpsrun), { accepted: 2, served: 2, held: 0 });
});

t.test('they share failed logins', async (t) => {
  const files = {
    'a.run': shellRunFile('echo failed-login 1000 >&%5; read line'),
    'b.run': shellRunFile('echo $FAILED_LOGINS'),
  };
  const { program, ports } = await startBoth(t, files);
  client(t, ports[0]);
  const tcpsrun = { program } as Parameters<typeof counters>[0];
  await poll('it to be counted', async () =>
    (await counters(tcpsrun))['failedLogins'] === 1 ? true : undefined,
  );
  t.equal((await client(t, ports[1]).end()).received, '1\n');
});

t.test('nobody listens where one of them cannot', async (t) => {
  const cwd = testFolder(t, { 'a.run': greeter });
  const taken = startProgram(t, 'tcpsrun', ['127.0.0.1', '0', 'a.run'], { cwd });
  const [port = 0] = await portsOf(taken, 1);
  const listeners = ['127.0.0.1', '0', 'a.run', '127.0.0.1', String(port), 'a.run'];
  const { status, stderr } = await runProgram(t, 'tcpsrun', listeners, { cwd });
  t.equal(status, 111);
  t.match(
    stderr,
    new RegExp(`cannot listen on 127\\.0\\.0\\.1 port ${port}: address already in use`),
  );
  for (const args of [
    ['127.0.0.1', '0', 'a.run', '::'],
    ['::', '0', 'a.run', '::', '0'],
  ]) {
    const wrong = await runProgram(t, 'tcpsrun', args, { cwd });
    t.equal(wrong.status, 100);
    t.match(wrong.stderr, /each listener needs address, port and run file/);
  }
});

t.test('--explain tells of each', async (t) => {
  const cwd = testFolder(t, { 'a.run': greeter, 'b.run': shellRunFile('echo b') });
  const args = ['--explain', '127.0.0.1', '::', '110', 'a.run', '::', '995', 'b.run'];
  const { stdout } = await runProgram(t, 'tcpsrun', args, { cwd });
  const text = stdout.toString();
  t.match(
    text,
    /^listener: :: 110 a\.run\n[^]*TCPLOCALPORT=110\n[^]*^listener: :: 995 b\.run\n[^]*TCPLOCALPORT=995\n/m,
  );
});

const { cert, key } = makeCertificate(t.testdir({}));

t.test('110 and 995 share kept workers, and nobody is greeted in the clear on 995', async (t) => {
  const runFile = (...args: readonly string[]): string =>
    [
      `program ${process.execPath}`,
      ...['node', builtProgram('pop3d'), '--tls-cert', cert, '--tls-key', key, ...args, '%3'].map(
        (argument) => `argument ${argument}`,
      ),
    ].join('\n');
  const cwd = testFolder(t, { 'a.run': runFile(), 'b.run': runFile('--tls') });
  makePasswordDatabase(join(cwd, 'passdb.sqlite'), { 'ann@example.org': 'open sesame' });
  const listeners = ['127.0.0.1', '0', 'a.run', '127.0.0.1', '0', 'b.run'];
  const program = startProgram(t, 'tcpsrun', ['--workers', '1', ...listeners], { cwd });
  const [clear = 0, encrypted = 0] = await portsOf(program, 2);
  const pids = (): readonly string[] =>
    [...program.stderr.matchAll(/worker pid=([0-9]+)\n/g)].map(([, pid = '']) => pid);
  const isServedBy = (on: number): boolean =>
    new RegExp(`connect .*on=${on} .*pid=${pids()[0] ?? ''}\n`).test(program.stderr);
  await poll('the worker to serve 110', async () => {
    const plain = await connectWireClient(clear, '127.0.0.1');
    t.match(await plain.status(), /^\+OK POP3/);
    await plain.ok('QUIT');
    plain.end();
    return isServedBy(clear) ? true : undefined;
  });
  const { client: secure } = await shakeHands(connect(encrypted, '127.0.0.1'));
  t.match(await secure.status(), /^\+OK POP3/);
  await secure.ok('QUIT');
  // The log has the line a few milliseconds later.
  await poll('the log to say that the worker served 995', () =>
    Promise.resolve(isServedBy(encrypted) ? true : undefined),
  );
  t.equal(pids().length, 1);
});

/** Makes two sockets, which are descriptors 3 and 4, and becomes a command. */
const pass = `
import os, socket, sys
made = [socket.create_server(('127.0.0.1', 0)) for _ in range(2)]
numbers = [os.dup(s.fileno()) for s in made]
for index, number in enumerate(numbers): os.dup2(number, 103 + index)
for index in range(2): os.dup2(103 + index, 3 + index); os.set_inheritable(3 + index, True)
print('made', *(s.getsockname()[1] for s in made), 'end', file=sys.stderr, flush=True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='2', LISTEN_FDNAMES=sys.argv[1])
os.execvp(sys.argv[2], sys.argv[2:])
`;

for (const [names, first] of [
  ['pop3s:pop3', 'b'],
  ['pop3:pop3s', 'a'],
  ['x:y', 'a'],
] as const) {
  t.test(
    `of two passed sockets called ${names} the first is served by ${first}.run`,
    { skip: unlessInstalled('python3') },
    async (t) => {
      const cwd = testFolder(t, {
        'a.run': shellRunFile('echo a'),
        'b.run': shellRunFile('echo b'),
      });
      const listeners = ['::', 'pop3', 'a.run', '::', 'pop3s', 'b.run'];
      const command = [process.execPath, builtProgram('tcpsrun'), ...listeners];
      const program = startCommand(t, 'python3', ['-c', pass, names, ...command], { cwd });
      await portsOf(program, 2);
      const [, one, other] = await program.logLine(/made ([0-9]+) ([0-9]+) end/);
      const answers = [];
      for (const port of [one, other])
        answers.push((await client(t, Number(port)).end()).received.trim());
      t.strictSame(answers, first === 'a' ? ['a', 'b'] : ['b', 'a']);
    },
  );
}
