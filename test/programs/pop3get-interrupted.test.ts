// --max-time and signals end pop3get whatever it waits for: a name server, a connection, a handshake, a reply.

import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { poll } from '../support/suite/deadline.js';
import { unlessMountable } from '../support/mail/small-file-system.js';
import { makeMaildir, silence, startFakeServer } from '../support/programs/pop3get-fixture.js';
import {
  builtProgram,
  startCommand,
  type RunningProgram,
} from '../support/programs/run-program.js';

/** A peer that never answers, and how pop3get is made to ask it. */
interface SilentPeer {
  readonly args: readonly string[];
  /** Resolves once pop3get waits for the peer, or is about to. */
  readonly waiting: Promise<unknown>;
  /** What starts the program, such as unshare(1). */
  readonly wrapper?: readonly string[];
}

async function silentNameServer(t: Test, address: string, port: number): Promise<SilentPeer> {
  const server = createSocket('udp4');
  t.teardown(() => server.close());
  const waiting = once(server, 'message');
  await new Promise<void>((resolve) => server.bind(port, address, resolve));
  const args = ['--dns-server', `${address}:${server.address().port}`, 'example.test', 'ann'];
  return { args, waiting };
}

/** The system's own lookup, getaddrinfo(3), with a resolv.conf of the test's. */
async function silentSystemLookup(t: Test): Promise<SilentPeer> {
  const address = '127.43.53.53';
  const { waiting } = await silentNameServer(t, address, 53);
  const file = join(t.testdir({}), 'resolv.conf');
  writeFileSync(file, `nameserver ${address}\n`);
  const script = `mount --bind ${file} /etc/resolv.conf && exec "$@"`;
  const args = ['--no-srv_self', 'example.test', 'ann'];
  return { args, waiting, wrapper: ['unshare', '--mount', 'sh', '-c', script, 'sh'] };
}

/** A port whose queue of connections is full: further ones are neither accepted nor refused. */
async function fullListener(t: Test): Promise<SilentPeer> {
  const program = `
    const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 });
    server.once('listening', () => {
      require('node:fs').writeSync(1, String(server.address().port));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  for (let count = 0; count < 2; count += 1) {
    const socket = connect(Number(port), '127.0.0.1');
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
  }
  const args = ['--port', String(port), '127.0.0.1', 'ann'];
  return { args, waiting: untilSynSent(Number(port)) };
}

/** Resolves once the system's table shows a connection to the port in the state SYN_SENT (2). */
async function untilSynSent(port: number): Promise<unknown> {
  const remote = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 02 `;
  return poll(
    `no connection to port ${port} is being made`,
    () => Promise.resolve(readFileSync('/proc/net/tcp', 'latin1').includes(remote) || undefined),
    60_000,
  );
}

async function mutePort(t: Test, tls: string): Promise<SilentPeer> {
  const server = createServer();
  t.teardown(() => server.close());
  const waiting = once(server, 'connection').then(async ([socket]) => {
    t.teardown(() => (socket as { destroy: () => void }).destroy());
    // The first message of the handshake, where there is one.
    if (tls === 'implicit') await once(socket as NodeJS.EventEmitter, 'data');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { args: ['--tls', tls, '--port', String(port), '127.0.0.1', 'ann'], waiting };
}

async function silentAt(t: Test, command: string): Promise<SilentPeer> {
  const { promise, resolve } = withResolve();
  const { port } = await startFakeServer(t, {
    messages: [],
    capabilities: ['USER', 'STLS'],
    fault: (line) => {
      if (line !== command) return line === 'STLS' ? '+OK\r\n' : undefined;
      resolve();
      return silence;
    },
  });
  const tls = command === 'PASS secret' ? 'off' : 'stls';
  return { args: ['--tls', tls, '--port', String(port), '127.0.0.1', 'ann'], waiting: promise };
}

function withResolve(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((one) => (resolve = one));
  return { promise, resolve };
}

const stages: readonly [string, (t: Test) => Promise<SilentPeer>][] = [
  ['a name server of --dns-server', async (t) => silentNameServer(t, '127.0.0.1', 0)],
  ["the system's name server", silentSystemLookup],
  ['a connection', fullListener],
  ['a TLS handshake', async (t) => mutePort(t, 'implicit')],
  ['a greeting', async (t) => mutePort(t, 'off')],
  ['the answer to STLS', async (t) => silentAt(t, 'STLS')],
  ['the answer to PASS', async (t) => silentAt(t, 'PASS secret')],
];

function start(
  t: Test,
  { args, wrapper = [] }: SilentPeer,
  more: readonly string[],
): RunningProgram {
  const [command = '', ...words] = [
    ...wrapper,
    ...[process.execPath, builtProgram('pop3get'), '--directory', makeMaildir(t)],
    // Whatever ends the run is not the timeout.
    ...['--timeout', '86400', ...more, ...args],
  ];
  return startCommand(t, command, words, { env: { POP3GET_PASSWORD: 'secret' } });
}

for (const [stage, startPeer] of stages) {
  const options = { skip: startPeer === silentSystemLookup ? unlessMountable() : false };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    t.test(`${signal} while pop3get waits for ${stage} ends it with 111`, options, async (t) => {
      const peer = await startPeer(t);
      const program = start(t, peer, []);
      await Promise.race([peer.waiting, program.ending]);
      program.kill(signal);
      const { status, stderr } = await program.finish();
      t.equal(status, 111, stderr);
      t.match(stderr, `stopped by ${signal}`);
    });
  }
  t.test(`--max-time while pop3get waits for ${stage} ends it with 111`, options, async (t) => {
    const peer = await startPeer(t);
    const { status, stderr } = await start(t, peer, ['--max-time', '1']).finish();
    t.equal(status, 111, stderr);
    t.match(stderr, '--max-time is over');
  });
}
