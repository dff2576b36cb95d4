// tcpsrun under faults: one connection accepted, judged, served by a started program and ended, with a call of the launcher's
// failing; then another one must be served as ever.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deadline, poll } from '../support/suite/deadline.js';
import {
  builtProgram,
  startCommand,
  type RunningProgram,
  type Teardown,
} from '../support/programs/run-program.js';
import { greeter } from '../support/programs/tcpsrun-fixture.js';
import type { PlanOptions } from './plan.js';
import { failingArguments, watchingArguments, type Fault } from './strace.js';
import { hasStackTrace, struckRuntime, type FaultyRun, type Subject } from './subject.js';

const endMs = 6000;
const rootName = '@root';

const naming: PlanOptions = {
  nameTarget: (target) => {
    if (target.startsWith('socket:') || target === 'spawn:') return '@connection';
    const [, inRoot] = /^.*?\/tcpsrun-faults-[^/]+\/(.+)$/.exec(target) ?? [];
    return inRoot === undefined ? null : `${rootName}/${inRoot}`;
  },
  isPassing: (name) => name === '@connection',
};

/** @param t stops what is left of a run */
export function tcpsrunSubject(t: Teardown): Subject {
  return {
    name: 'tcpsrun',
    run: (fault) => runOnce(t, fault),
    // strace is attached to a launcher that has served already.
    firstOwnCall: () => 0,
    ...naming,
  };
}

async function runOnce(t: Teardown, fault: Fault | null): Promise<FaultyRun> {
  const root = mkdtempSync(join(tmpdir(), 'tcpsrun-faults-'));
  try {
    mkdirSync(join(root, 'log'));
    writeFileSync(join(root, 'test.run'), greeter);
    writeFileSync(join(root, 'rules'), '127.0.0.0/8 1\n');
    const program = startCommand(
      t,
      process.execPath,
      [
        builtProgram('tcpsrun'),
        ...['--rules', join(root, 'rules'), '127.0.0.1', '0', join(root, 'test.run')],
      ],
      { env: { UV_THREADPOOL_SIZE: '1' } },
    );
    try {
      return await serve(t, { root, fault, program });
    } finally {
      program.kill('SIGKILL');
      await program.ending;
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

interface Setting {
  readonly root: string;
  readonly fault: Fault | null;
  readonly program: RunningProgram;
}

async function serve(t: Teardown, { root, fault, program }: Setting): Promise<FaultyRun> {
  const violations: string[] = [];
  const [, port = ''] = await program.logLine(/listening address=\S+ port=([0-9]+)/);
  const first = await converse(Number(port));
  if (!isWhole(first)) throw new Error(`without a fault: ${first}`);
  const output = join(root, 'log', 'strace');
  const threads = readdirSync(`/proc/${program.pid}/task`);
  const strace = startCommand(t, 'strace', [
    ...(fault === null
      ? watchingArguments(output)
      : failingArguments(fault, targetsIn(fault, root), output)),
    ...threads.flatMap((thread) => ['-p', thread]),
  ]);
  await strace.logLine(new RegExp(`Process ${threads.at(-1) ?? ''} attached`));
  const faulty = await converse(Number(port));
  strace.kill('SIGINT');
  await deadline(strace.ending, 1000, () => 'no end').catch(() => undefined);
  // Of a killed process with many threads strace may miss the last one's end; until it is gone itself, the process is not.
  strace.kill('SIGKILL');
  await strace.ending;
  const trace = readFileSync(output, 'latin1');
  // Nothing traces it any more, so that it is dead by now or lives.
  const isGone = ['-', 'Z'].includes(stateOf(program.pid));
  const hasStruckRuntime = struckRuntime(naming, trace);
  // strace puts its error in the place of close(2), which Linux would carry out all the same: the connection really stays open. So
  // it does where libuv's own wake-up call fails, and the end of a child stays unnoticed.
  const mayStayOpen = fault?.syscall === 'close' || hasStruckRuntime;
  const isAllowed = isWhole(faulty) || isPart(faulty) || (mayStayOpen && isLeftOpen(faulty));
  if (!isAllowed) violations.push(`a client got ${faulty}`);
  const isExcused = hasStruckRuntime || (fault?.effect === 'KILL' && isGone);
  if (isExcused) return { violations, replies: [], trace };
  if (isGone) violations.push('the launcher ended');
  else {
    const next = await converse(Number(port));
    if (!isWhole(next)) violations.push(`the next client got ${next}`);
    violations.push(...(await zombiesOf(program.pid)));
    program.kill('SIGTERM');
    try {
      const { status } = await deadline(program.ending, endMs, () => 'no end');
      if (status !== 0) violations.push(`it ended with ${String(status)}`);
    } catch {
      violations.push('it did not end after SIGTERM');
    }
  }
  if (hasStackTrace(program.stderr)) violations.push(`a stack trace: ${program.stderr}`);
  if (violations.length > 0) violations.push(program.stderr);
  return { violations, replies: [], trace };
}

const leftOpen = 'hang after ';

/** @returns all that a client got, with `leftOpen` before it when the connection stayed open; a reset counts as an end */
async function converse(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => (received += text));
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write('hello\n');
  try {
    await deadline(closed, endMs, () => 'open');
    return received;
  } catch {
    return `${leftOpen}${received}`;
  } finally {
    socket.destroy();
  }
}

function isWhole(received: string): boolean {
  return /^\+OK \d+\nbye hello\n$/.test(received);
}

/** What a connection that was closed early may have got; a client is never greeted twice. */
function isPart(received: string): boolean {
  return /^(?:|\+OK \d+\n)$/.test(received);
}

function isLeftOpen(received: string): boolean {
  if (!received.startsWith(leftOpen)) return false;
  const part = received.slice(leftOpen.length);
  return isWhole(part) || isPart(part);
}

async function zombiesOf(pid: number): Promise<string[]> {
  try {
    await poll(
      'its children to be reaped',
      () => {
        const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
        const isClean = children.split(' ').every((child) => stateOf(Number(child)) !== 'Z');
        return Promise.resolve(isClean ? true : undefined);
      },
      endMs,
    );
    return [];
  } catch (error) {
    return [String(error)];
  }
}

/** The letter that proc(5) has for the state of a process; `-` when there is none. */
function stateOf(pid: number): string {
  try {
    return /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1] ?? '-';
  } catch {
    return '-';
  }
}

function targetsIn({ target }: Fault, root: string): readonly string[] {
  return target === null ? [] : [join(root, target.slice(rootName.length + 1))];
}
