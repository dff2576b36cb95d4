// pop3get under faults: three messages to fetch, runs without faults afterwards, and then each message must have been stored once.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deadline } from '../support/suite/deadline.js';
import {
  numberedMessages,
  runPop3get,
  sortedContents,
  startFakeServer,
  storedContents,
  type FakeServer,
} from '../support/programs/pop3get-fixture.js';
import {
  takingRetrForDele,
  withoutStatusField,
  withStatusField,
} from '../support/programs/pop3get-odd-server.js';
import { builtProgram, startCommand, type Teardown } from '../support/programs/run-program.js';
import type { PlanOptions } from './plan.js';
import { failingArguments, killTraced, watchingArguments, type Fault } from './strace.js';
import {
  hasStackTrace,
  isOwnExit,
  struckRuntime,
  type FaultyRun,
  type Subject,
} from './subject.js';

const messageCount = 3;
const endMs = 10_000;
const rootName = '@root';
const rootPattern = /^.*?\/pop3get-faults-[^/]+\/(.+)$/;
/** Runs without faults that may be needed after one with. */
const mostRuns = 4;

const naming: PlanOptions = {
  nameTarget: (target) => {
    if (target.startsWith('socket:')) return '@socket';
    const [, inRoot] = rootPattern.exec(target) ?? [];
    return inRoot === undefined ? null : `${rootName}/${inRoot}`;
  },
  // Sockets are new in each run, and so are the names of messages.
  isPassing: (name) => name === '@socket' || /\/(?:tmp|new|cur)\/./.test(name),
};

/**
 * @param t stops what is left of a run
 * @param server `odd` takes RETR for DELE at QUIT, and keeps an mbox, which adds fields to messages after the first session
 */
export function pop3getSubject(t: Teardown, server: 'plain' | 'odd'): Subject {
  return {
    name: server === 'plain' ? 'pop3get' : 'pop3get-odd-server',
    run: (fault) => runOnce(t, fault, server === 'odd'),
    firstOwnCall: (calls) => calls.findIndex(({ target }) => rootPattern.test(target ?? '')),
    ...naming,
  };
}

async function runOnce(t: Teardown, fault: Fault | null, isOdd: boolean): Promise<FaultyRun> {
  const root = mkdtempSync(join(tmpdir(), 'pop3get-faults-'));
  const cleanUp: (() => Promise<void>)[] = [];
  try {
    const deletes = takingRetrForDele(() => server, false);
    const server: FakeServer = await startFakeServer(
      { teardown: (handler) => cleanUp.push(handler) },
      {
        messages: numberedMessages(messageCount),
        fault: (line, session, _socket, turn) => (isOdd ? deletes(line, session, turn) : undefined),
      },
    );
    const maildir = join(root, 'Maildir');
    for (const folder of ['tmp', 'new', 'cur']) {
      mkdirSync(join(maildir, folder), { recursive: true });
    }
    const output = join(root, 'strace');
    const strace =
      fault === null
        ? watchingArguments(output)
        : failingArguments(fault, targetsIn(fault, root), output);
    const program = startCommand(
      t,
      'strace',
      [
        ...['-f', '-qq', ...strace],
        ...[process.execPath, builtProgram('pop3get'), '--port', String(server.port)],
        ...['--directory', maildir, '--timeout', '3', '127.0.0.1', 'ann'],
      ],
      { env: { UV_THREADPOOL_SIZE: '1', POP3GET_PASSWORD: 'secret' } },
    );
    const violations: string[] = [];
    let hasEnded = true;
    let ending;
    try {
      ending = await deadline(program.ending, endMs, () => 'no end');
    } catch {
      hasEnded = false;
      killTraced(program.pid);
      ending = await program.ending;
    }
    const trace = readFileSync(output, 'latin1');
    const wasKilled = fault?.effect === 'KILL' && ending.signal === 'SIGKILL';
    if (!struckRuntime(naming, trace)) {
      if (!hasEnded) violations.push('the process did not end');
      else if (!wasKilled && !isOwnExit(ending.status)) {
        violations.push(`it ended with ${String(ending.status ?? ending.signal)}`);
      }
      if (hasStackTrace(program.stderr)) violations.push(`a stack trace: ${program.stderr}`);
    }
    violations.push(...missing(server.messages.map(textOf), maildir, 'after the fault'));
    // A copy as backups make it: every file has a second link then.
    execFileSync('cp', ['-al', maildir, join(root, 'copy')]);
    if (isOdd) server.messages = server.messages.map(withStatusField);
    if (ending.status === 0) violations.push(...missing([], maildir, 'though it says 0'));
    const isCutShort = wasKilled || !hasEnded || struckRuntime(naming, trace);
    // What could not be removed stays until the next run.
    if (!isCutShort && fault?.syscall !== 'unlink') violations.push(...leftInTmp(maildir));
    await finish(t, server.port, maildir, violations);
    if (server.messages.length > 0) violations.push(`${server.messages.length} left on the server`);
    const stored = contentsOf(maildir);
    if (stored.join('\0') !== expected.join('\0')) {
      violations.push(`stored in the end: ${JSON.stringify(stored)}`);
    }
    violations.push(...leftInTmp(maildir));
    return { violations, replies: [], trace };
  } finally {
    for (const handler of cleanUp) await handler();
    rmSync(root, { recursive: true, force: true });
  }
}

const expected = sortedContents(numberedMessages(messageCount));

/** Sorted, without the fields that the server adds. */
function contentsOf(maildir: string): readonly string[] {
  return storedContents(maildir).map(withoutStatusField).sort();
}

function textOf({ content }: { readonly content: Buffer }): string {
  return content.toString('latin1');
}

/** Messages that are neither on the server nor stored whole. */
function missing(onServer: readonly string[], maildir: string, when: string): string[] {
  const stored = contentsOf(maildir);
  return expected
    .filter((content) => !onServer.includes(content) && !stored.includes(content))
    .map((content) => `lost ${when}: ${JSON.stringify(content)}`);
}

function leftInTmp(maildir: string): string[] {
  const names = readdirSync(join(maildir, 'tmp'));
  return names.length > 0 ? [`left in tmp: ${names.join()}`] : [];
}

async function finish(
  t: Teardown,
  port: number,
  maildir: string,
  violations: string[],
): Promise<void> {
  for (let runs = 1; runs <= mostRuns; runs += 1) {
    const { status, stderr } = await runPop3get(t, port, maildir);
    if (status === 0) return;
    if (runs === mostRuns) violations.push(`run ${runs} ended with ${String(status)}: ${stderr}`);
  }
}

function targetsIn({ target }: Fault, root: string): readonly string[] {
  return target === null ? [] : [join(root, target.slice(rootName.length + 1))];
}
