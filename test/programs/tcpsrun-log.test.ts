// A log that nobody reads any more costs lines and nothing else, of tcpsrun and of its kept workers, which have the same one.

import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { poll } from '../support/suite/deadline.js';
import { builtProgram, startCommand } from '../support/programs/run-program.js';
import { Client, shellRunFile } from '../support/programs/tcpsrun-fixture.js';
import { testFolder } from '../support/suite/test-folder.js';

const lineWorker = `program ${process.execPath}
argument node
argument ${builtProgram('test/support/programs/line-worker.js')}
`;

const ways = [
  { way: 'a process for each connection', runFile: shellRunFile('echo +OK; read x'), options: [] },
  { way: 'kept workers', runFile: lineWorker, options: ['--workers', '2'] },
] as const;

type Way = (typeof ways)[number];

/** The words that start it in a folder with the way's run file. */
function commandFor(t: Test, { runFile, options }: Way): { cwd: string; words: string[] } {
  const cwd = testFolder(t, { 'test.run': runFile });
  const words = [process.execPath, builtProgram('tcpsrun'), ...options];
  return { cwd, words: [...words, '127.0.0.1', '0', 'test.run'] };
}

async function session(port: number): Promise<void> {
  const client = new Client(port, '127.0.0.1');
  client.socket.write('bye\n');
  const { received } = await client.end();
  client.socket.destroy();
  if (!received.startsWith('+OK')) throw new Error(`served with "${received}"`);
}

async function sessions(port: number, count: number): Promise<void> {
  let started = 0;
  const some = async (): Promise<void> => {
    for (; started < count;) {
      started += 1;
      await session(port);
    }
  };
  await Promise.all(Array.from({ length: 8 }, some));
}

for (const way of ways) {
  t.test(`${way.way}: when the log's reader is gone the service goes on`, async (t) => {
    const { cwd, words } = commandFor(t, way);
    // head goes after the first line, and with it the only reader of the log.
    const reader = 'exec "$@" 2> >(exec head -n 1 >&2)';
    const program = startCommand(t, '/bin/bash', ['-c', reader, 'bash', ...words], { cwd });
    const [, port = ''] = await program.logLine(/listening address=\S+ port=([0-9]+)/);
    await sessions(Number(port), 50);
    program.kill('SIGTERM');
    t.same(await program.ending, { status: 0, signal: null });
  });

  t.test(`${way.way}: when the log's reader stops reading the service goes on`, async (t) => {
    const { cwd, words } = commandFor(t, way);
    const [command = '', ...args] = words;
    const fifo = join(cwd, 'log');
    execFileSync('mkfifo', [fifo]);
    // Opened twice: whoever starts a program makes what it gives to it block.
    const fd = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    const theirs = openSync(fifo, constants.O_WRONLY);
    t.teardown(() => {
      closeSync(fd);
      closeSync(theirs);
    });
    const program = startCommand(t, command, args, { cwd, fds: [null, null, theirs] });
    let log = '';
    const port = await poll('tcpsrun to listen', () => {
      log += readWaiting(fd);
      const [, number] = /listening address=\S+ port=([0-9]+)\n/.exec(log) ?? [];
      return Promise.resolve(number === undefined ? undefined : Number(number));
    });
    // Two lines of some seventy octets for each; a pipe holds 65,536.
    await sessions(port, 800);
    const ends = readPipeful(fd).split(' end peer=').length - 1;
    t.ok(ends > 0 && ends < 800, `the pipe was full: it held the ends of ${ends} sessions`);
    // And on, with lines that are read again.
    await sessions(port, 10);
    await poll('new lines', () =>
      Promise.resolve(readWaiting(fd).includes('end peer=') || undefined),
    );
    program.kill('SIGTERM');
    t.same(await program.ending, { status: 0, signal: null });
  });
}

/** What the pipe holds: one read takes all of it before a writer can add to it. */
function readPipeful(fd: number): string {
  const chunk = Buffer.alloc(1 << 17);
  return chunk.toString('latin1', 0, readSync(fd, chunk));
}

/** What is read until the pipe is empty: also what a writer adds meanwhile. */
function readWaiting(fd: number): string {
  const chunk = Buffer.alloc(1 << 17);
  let text = '';
  try {
    for (;;) {
      const count = readSync(fd, chunk);
      if (count === 0) return text;
      text += chunk.toString('latin1', 0, count);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    return text;
  }
}
