// The log under every kind of stderr, each in a process of its own.

import { createSocket } from 'node:dgram';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { deadline } from '../../../support/suite/deadline.js';
import { unlessInstalled, unlessRoot } from '../../../support/peers/debian.js';
import { PipeFixture } from '../../../support/programs/pipe-fixture.js';
import { recordingLogger } from '../../../support/suite/recording-logger.js';
import { builtProgram, runCommand, startProgram } from '../../../support/programs/run-program.js';
import { makeSocketPair } from '../../../support/sessions/socket-pair.js';

const program = 'test/support/programs/logging-program.js';
const ended = { status: 0, signal: null, stdout: Buffer.from('written\nflushed\n') };

/** The numbers of the lines that came, each of which must be whole. */
function numbersOf(text: string): number[] {
  return [...text.matchAll(/^logging: counted number=([0-9]+) filler=x{200}$/gm)].map((match) =>
    Number(match[1]),
  );
}

/** A path for a Unix socket; those have room for 107 bytes, which a test's folder may exceed. */
function socketPath(t: { teardown(handler: () => void): unknown }): string {
  const folder = mkdtempSync(join(tmpdir(), 'log-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  return join(folder, 'socket');
}

function upTo(count: number): number[] {
  return [...Array(count).keys()].map((index) => index + 1);
}

t.test('lines reach a socket in order, as systemd passes one', async (t) => {
  const result = await startProgram(t, program, ['500']).finish();
  t.match(result, ended);
  t.same(numbersOf(result.stderr), upTo(500));
});

t.test('lines reach a pipe in order', async (t) => {
  const pipe = new PipeFixture(t);
  const running = startProgram(t, program, ['500'], { fds: [null, null, pipe.writeFd] });
  const finished = running.finish();
  const text = await pipe.read((text) => text.includes('number=500 ') && text.endsWith('\n'));
  t.match(await finished, ended);
  t.same(numbersOf(text), upTo(500));
});

t.test('lines are appended to a file', async (t) => {
  const path = join(t.testdir({ log: 'before\n' }), 'log');
  const file = openSync(path, 'a');
  t.match(await startProgram(t, program, ['20'], { fds: [null, null, file] }).finish(), ended);
  closeSync(file);
  const text = readFileSync(path, 'latin1');
  t.match(text, /^before\n/);
  t.same(numbersOf(text), upTo(20));
});

t.test('lines reach a terminal', { skip: unlessInstalled('script') }, async (t) => {
  const command = `${process.execPath} ${builtProgram(program)} 3`;
  const { stdout } = await runCommand(t, 'script', ['-qec', command, '/dev/null']);
  t.same(numbersOf(stdout.toString().replaceAll('\r', '')), upTo(3));
});

t.test('as JSON each line is one object', async (t) => {
  const { stderr } = await startProgram(t, program, ['2', '1000', 'json']).finish();
  t.same(
    stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
    upTo(2).map((number) => {
      return { program: 'logging', event: 'counted', number, filler: 'x'.repeat(200) };
    }),
  );
});

t.test('a closed stderr costs the lines only', async (t) => {
  const script = 'exec "$0" "$1" 5 2>&-';
  t.match(
    await runCommand(t, 'sh', ['-c', script, process.execPath, builtProgram(program)]),
    ended,
  );
});

t.test('a full device costs the lines only', async (t) => {
  const full = openSync('/dev/full', 'w');
  t.match(await startProgram(t, program, ['5'], { fds: [null, null, full] }).finish(), ended);
  closeSync(full);
});

t.test('a stderr that is open for reading only costs the lines only', async (t) => {
  const file = openSync(builtProgram(program), 'r');
  t.match(await startProgram(t, program, ['5'], { fds: [null, null, file] }).finish(), ended);
  closeSync(file);
});

t.test('a pipe without a reader costs the lines only', async (t) => {
  const pipe = new PipeFixture(t);
  pipe.closeReader();
  const running = startProgram(t, program, ['5'], { fds: [null, null, pipe.writeFd] });
  t.match(await running.finish(), ended);
});

t.test('a full pipe that nobody reads stops nothing, nor the end', async (t) => {
  const pipe = new PipeFixture(t);
  pipe.fill();
  const args = ['5000', '100'];
  t.match(
    await startProgram(t, program, args, { fds: [null, null, pipe.writeFd] }).finish(),
    ended,
  );
});

t.test('a full pipe of another user stops nothing either', { skip: unlessRoot() }, async (t) => {
  const pipe = new PipeFixture(t);
  pipe.fill();
  const args = ['5000', '100', 'uid=65534'];
  t.match(
    await startProgram(t, program, args, { fds: [null, null, pipe.writeFd] }).finish(),
    ended,
  );
});

t.test('lines reach the pipe of another user', { skip: unlessRoot() }, async (t) => {
  const pipe = new PipeFixture(t);
  const args = ['20', '1000', 'uid=65534'];
  const running = startProgram(t, program, args, { fds: [null, null, pipe.writeFd] });
  const finished = running.finish();
  const text = await pipe.read((text) => text.includes('number=20 ') && text.endsWith('\n'));
  t.match(await finished, ended);
  t.same(numbersOf(text), upTo(20));
});

t.test(
  'a full pipe that is read again gets 1000 lines and the number of those dropped',
  async (t) => {
    const pipe = new PipeFixture(t);
    const filled = pipe.fill();
    const args = ['1200', '20000'];
    const running = startProgram(t, program, args, { fds: [null, null, pipe.writeFd] });
    const stdout = running.stdout;
    await new Promise((resolve) => stdout.once('data', resolve));
    const text = (await pipe.read((text) => /log-dropped .*\n/.test(text))).slice(filled);
    t.same(numbersOf(text), upTo(1000));
    t.match(text, /\nlogging: log-dropped lines=200\n$/);
    t.equal((await running.finish()).status, 0);
  },
);

t.test('the pipe that others share does not become non-blocking', async (t) => {
  const pipe = new PipeFixture(t);
  await startProgram(t, program, ['1'], { fds: [null, null, pipe.writeFd] }).finish();
  const flags = /flags:\s*([0-7]+)/.exec(
    readFileSync(`/proc/self/fdinfo/${pipe.writeFd}`, 'latin1'),
  );
  t.equal(parseInt(flags?.[1] ?? '', 8) & 0o4000, 0, 'O_NONBLOCK');
});

t.test('a socket that nobody reads stops nothing, nor the end', async (t) => {
  const { client, server } = await makeSocketPair(socketPath(t));
  client.pause();
  const running = startProgram(t, program, ['20000', '100'], { fds: [null, null, server] });
  server.destroy();
  t.match(await running.finish(), ended);
  client.destroy();
});

t.test('a socket whose peer is gone costs the lines only', async (t) => {
  const { client, server } = await makeSocketPair();
  client.resetAndDestroy();
  const running = startProgram(t, program, ['50'], { fds: [null, null, server] });
  server.destroy();
  t.match(await running.finish(), ended);
});

t.test('a datagram socket as stderr is no reason to end', async (t) => {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  t.teardown(() => socket.close());
  // bash(1) connects to it, where a path looks like this.
  const shell = `exec "$@" 2>/dev/udp/127.0.0.1/${socket.address().port}`;
  const words = ['-c', shell, 'bash', process.execPath, builtProgram(program), '5'];
  t.match(await runCommand(t, 'bash', words), ended);
});

t.test('a connection that is stderr, too, hears nothing: the lines go to syslog', async (t) => {
  for (const kind of ['tcp', 'unix']) {
    const logger = recordingLogger(t);
    const pair = await makeSocketPair(kind === 'unix' ? socketPath(t) : undefined);
    const heard: Buffer[] = [];
    pair.client.on('data', (chunk: Buffer) => heard.push(chunk));
    const closed = new Promise((resolve) => pair.client.once('end', resolve));
    const running = startProgram(t, program, ['3', '1000', 'fd=0', 'warn'], {
      fds: [pair.server, pair.server, pair.server],
      env: { PATH: logger.path },
    });
    pair.server.destroy();
    t.match(await running.finish(), { status: 0, signal: null });
    await deadline(closed, 10_000, () => 'the connection was not closed');
    t.equal(Buffer.concat(heard).toString(), 'written\nflushed\n', kind);
    const lines = (await logger.recorded(4)).split('\n');
    t.equal(lines[0], '-p mail.info -t logging');
    t.match(lines[1], /^counted number=1 filler=x/);
    t.equal(lines.length, 5);
  }
});

t.test('a connection on another descriptor is compared, too', async (t) => {
  const logger = recordingLogger(t);
  const pair = await makeSocketPair();
  const heard: Buffer[] = [];
  pair.client.on('data', (chunk: Buffer) => heard.push(chunk));
  const running = startProgram(t, program, ['1', '1000', 'fd=3'], {
    fds: [null, null, pair.server, pair.server],
    env: { PATH: logger.path },
  });
  pair.server.destroy();
  t.match(await running.finish(), ended);
  await logger.recorded(2);
  t.equal(heard.length, 0);
});

t.test('with syslog asked for, stderr hears nothing', async (t) => {
  const logger = recordingLogger(t);
  const result = await startProgram(t, program, ['2', '1000', 'syslog'], {
    env: { PATH: logger.path },
  }).finish();
  t.match(result, { ...ended, stderr: '' });
  t.match(await logger.recorded(3), /\ncounted number=2 filler=x{200}\n$/);
});

t.test('without a logger to start, the lines are lost and nothing else', async (t) => {
  const env = { PATH: t.testdir() };
  t.match(await startProgram(t, program, ['2', '1000', 'syslog'], { env }).finish(), ended);
});
