// pop3d under faults: a session of twelve commands on a Maildir of four messages, every reply checked, and a ledger of the messages
// afterwards.

import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { topAsSent } from '../support/mail/as-sent.js';
import { deadline } from '../support/suite/deadline.js';
import { makeInbox, type MaildirFixture } from '../support/mail/maildir-fixture.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { builtProgram, startCommand, type Teardown } from '../support/programs/run-program.js';
import { makeSocketPair } from '../support/sessions/socket-pair.js';
import { WireClient } from '../support/sessions/wire-client.js';
import type { PlanOptions } from './plan.js';
import {
  audit,
  auditOctets,
  auditTemporary,
  nameOf,
  numbers,
  sent,
  stored,
  type Talk,
} from './pop3d-audit.js';
import {
  failingArguments,
  killTraced,
  watchingArguments,
  type Call,
  type Fault,
} from './strace.js';
import {
  hasStackTrace,
  isOwnExit,
  isRuntimes,
  struckRuntime,
  type FaultyRun,
  type Subject,
} from './subject.js';

const connectionName = '@connection';
const rootName = '@root';
const endMs = 10_000;

/** The right sizes; a message that could not be read to count it is listed with its file's size instead. */
const listings = [0, ...numbers].map((unread) =>
  linesOf((number) => String((number === unread ? stored[number - 1] : sent[number - 1])?.length)),
);

interface Step {
  readonly line: string;
  /** How its reply begins when it is positive. */
  readonly begins?: string;
  /** The same where messages seem to be gone. */
  readonly beginsWithout?: RegExp;
  /** The lines of which one set follows then, less those of messages that seem to be gone; without any, no lines do. */
  readonly lines?: readonly string[];
}

/** Twelve commands. */
const script: readonly Step[] = [
  { line: 'USER ann@example.org' },
  {
    line: 'PASS open sesame',
    begins: '+OK Logged in, 4 ',
    beginsWithout: /^\+OK Logged in, [0-3] /,
  },
  { line: 'STAT', begins: '+OK 4', beginsWithout: /^\+OK [0-3] / },
  { line: 'LIST', lines: listings },
  { line: 'UIDL', lines: [linesOf((number) => nameOf(number))] },
  { line: 'RETR 1', lines: [text(sent[0])] },
  { line: 'TOP 2 1', lines: [text(topAsSent(stored[1] ?? Buffer.alloc(0), 1))] },
  { line: 'DELE 1' },
  { line: 'DELE 3' },
  { line: 'RETR 2', lines: [text(sent[1])] },
  { line: 'NOOP' },
  { line: 'QUIT' },
];

function linesOf(value: (number: number) => string): string {
  return numbers.map((number) => `${number} ${value(number)}\r\n`).join('');
}

function text(bytes: Buffer | undefined): string {
  return bytes?.toString('latin1') ?? '';
}

const naming: PlanOptions = {
  nameTarget: (target) => {
    if (target.startsWith('socket:')) return connectionName;
    if (target.endsWith('/log/stderr')) return '@log';
    const [, inRoot] = /^.*?\/pop3d-faults-[^/]+\/(.+)$/.exec(target) ?? [];
    if (inRoot !== undefined) return `${rootName}/${inRoot}`;
    return /^(?:example\.org|passdb)/.test(target) ? `${rootName}/${target}` : null;
  },
  isPassing: (name) => name.includes('/tmp/'),
};

/**
 * @param t stops what is left of a run
 * @param mail on which file system: `shared` leaves all calls on it to a thread
 */
export function pop3dSubject(t: Teardown, mail: 'local' | 'shared' = 'local'): Subject {
  const args = mail === 'local' ? [] : ['--shared-mail'];
  return {
    name: mail === 'local' ? 'pop3d' : 'pop3d-shared-mail',
    run: (fault) => runOnce(t, args, fault),
    // The greeting is the first thing that pop3d itself does.
    firstOwnCall: (calls: readonly Call[]) =>
      Math.max(
        0,
        calls.findIndex(({ target }) => target?.startsWith('socket:') === true),
      ),
    ...naming,
  };
}

async function runOnce(
  t: Teardown,
  args: readonly string[],
  fault: Fault | null,
): Promise<FaultyRun> {
  const root = mkdtempSync(join(tmpdir(), 'pop3d-faults-'));
  try {
    makePasswordDatabase(join(root, 'passdb.sqlite'), { 'ann@example.org': 'open sesame' });
    const inbox = makeInbox(root, 'ann@example.org');
    for (const number of numbers) {
      const [name, folder] =
        number < 3
          ? ([nameOf(number), 'new'] as const)
          : ([`${nameOf(number)}:2,S`, 'cur'] as const);
      inbox.add(stored[number - 1] ?? '', { name, folder });
    }
    mkdirSync(join(root, 'log'));
    return await serve(t, { args, root, inbox, fault });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

interface Setting {
  readonly args: readonly string[];
  readonly root: string;
  readonly inbox: MaildirFixture;
  readonly fault: Fault | null;
}

async function serve(t: Teardown, { args, root, inbox, fault }: Setting): Promise<FaultyRun> {
  const output = join(root, 'log', 'strace');
  const logFile = join(root, 'log', 'stderr');
  const pair = await makeSocketPair();
  const log = openSync(logFile, 'a');
  const strace =
    fault === null
      ? watchingArguments(output)
      : failingArguments(fault, targetsIn(fault, root, pair.server), output);
  const program = startCommand(
    t,
    'strace',
    ['-f', '-qq', ...strace, process.execPath, builtProgram('pop3d'), ...args],
    {
      cwd: root,
      env: { UV_THREADPOOL_SIZE: '1' },
      fds: [pair.server, pair.server, log],
    },
  );
  pair.server.destroy();
  closeSync(log);
  const client = new WireClient(pair.client, pair.client);
  const isPatient = fault === null || !isRuntimes(fault.syscall, fault.target);
  const mayBeGone = fault?.effect === 'ENOENT';
  const talk = await converse(client, { withinMs: isPatient ? endMs : 4000, mayBeGone });
  pair.client.destroy();
  const violations = [...talk.violations];
  let ending;
  let hasEnded = true;
  try {
    ending = await deadline(program.ending, isPatient ? endMs : 2000, () => 'no end');
  } catch {
    killTraced(program.pid);
    ending = await program.ending;
    hasEnded = false;
  }
  const trace = readFileSync(output, 'latin1');
  const wasKilled = fault?.effect === 'KILL' && ending.signal === 'SIGKILL';
  const lines = readFileSync(logFile, 'latin1');
  if (!struckRuntime(naming, trace)) {
    if (!hasEnded) violations.push('the process did not end');
    if (!wasKilled && !isOwnExit(ending.status)) {
      violations.push(`it ended with ${String(ending.status ?? ending.signal)}`);
    }
    if (hasStackTrace(lines)) violations.push(`a stack trace: ${lines}`);
  }
  const isCutShort = wasKilled || !hasEnded || struckRuntime(naming, trace);
  violations.push(
    ...audit(inbox, talk, mayBeGone),
    ...auditOctets(inbox),
    ...auditTemporary(inbox, isCutShort),
  );
  return { violations, replies: talk.replies, trace };
}

function targetsIn({ target }: Fault, root: string, socket: Socket): readonly string[] {
  if (target === null) return [];
  if (target === connectionName) {
    const { fd } = (socket as unknown as { readonly _handle: { readonly fd: number } })._handle;
    return [readlinkSync(`/proc/self/fd/${fd}`)];
  }
  const path = target === '@log' ? 'log/stderr' : target.slice(rootName.length + 1);
  return [path, join(root, path)];
}

/** Sends the commands one by one until the connection ends. */
async function converse(
  client: WireClient,
  { withinMs, mayBeGone }: { readonly withinMs: number; readonly mayBeGone: boolean },
): Promise<Talk> {
  const violations: string[] = [];
  const replies: string[] = [];
  const marked: number[] = [];
  let saidQuit = false;
  let quitReply: string | null = null;
  const nextStatus = async (): Promise<string | null> => {
    try {
      return await deadline(client.status(), withinMs, () => 'no reply');
    } catch (error) {
      const { message } = error as Error;
      const isClosed = message.startsWith('the server closed');
      if (!isClosed && withinMs === endMs) violations.push(message);
      return null;
    }
  };
  if ((await nextStatus()) === null) return { violations, replies, marked, saidQuit, quitReply };
  let isWithout = false;
  for (const { line, lines, begins, beginsWithout } of script) {
    // Numbers are others where a message was gone at the login.
    if (isWithout && line !== 'QUIT') continue;
    client.write(`${line}\r\n`);
    saidQuit = line === 'QUIT';
    const status = await nextStatus();
    if (status === null) break;
    replies.push(status);
    if (saidQuit) quitReply = status;
    if (!status.startsWith('+OK')) continue;
    const isLess = mayBeGone && beginsWithout?.test(`${status} `) === true;
    if (isLess && line.startsWith('PASS')) isWithout = true;
    if (begins !== undefined && !`${status} `.startsWith(begins) && !isLess)
      violations.push(`${line}: ${status}`);
    if (line.startsWith('DELE')) marked.push(Number(line.slice(5)));
    if (lines === undefined) continue;
    try {
      const given = text(await client.multiline());
      const isGiven = (whole: string): boolean =>
        whole === given || (mayBeGone && isPartOf(given, whole));
      if (!lines.some(isGiven)) violations.push(`${line}: ${JSON.stringify(given)}`);
    } catch {
      // A reply that breaks off without its terminator is no false one.
      break;
    }
  }
  if (quitReply !== null) {
    const rest = await client.rest();
    if (rest.length > 0) violations.push(`after QUIT: ${rest.toString('latin1')}`);
  }
  return { violations, replies, marked, saidQuit, quitReply };
}

/** Whether a listing leaves out lines, and does nothing else. */
function isPartOf(given: string, whole: string): boolean {
  const lines = whole.split('\n');
  return lines.filter((line) => given.includes(`${line}\n`)).join('\n') === given.slice(0, -1);
}
