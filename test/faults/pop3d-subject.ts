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
import { asSent, topAsSent } from '../support/as-sent.js';
import { deadline } from '../support/deadline.js';
import { makeInbox, type MaildirFixture } from '../support/maildir-fixture.js';
import { makePasswordDatabase } from '../support/password-database-fixture.js';
import { builtProgram, startCommand, type Teardown } from '../support/run-program.js';
import { makeSocketPair } from '../support/socket-pair.js';
import { WireClient } from '../support/wire-client.js';
import type { PlanOptions } from './plan.js';
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

const messages = ['one', 'two\n.\n..', 'three', 'four'].map(
  (text) => `Subject: ${text.slice(0, 5).trim()}\n\nThis is ${text}\nlast\n`,
);
const stored = messages.map((text) => Buffer.from(text));
const sent = stored.map((message) => asSent(message));
const numbers = [1, 2, 3, 4];
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
  /** The lines of which one set follows then; without any, no lines do. */
  readonly lines?: readonly string[];
}

/** Twelve commands. */
const script: readonly Step[] = [
  { line: 'USER ann@example.org' },
  { line: 'PASS open sesame', begins: '+OK Logged in, 4 ' },
  { line: 'STAT', begins: '+OK 4' },
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

function nameOf(number: number): string {
  return `170000000${number}.M${number}P1.fixture`;
}

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

/** @param t stops what is left of a run */
export function pop3dSubject(t: Teardown): Subject {
  return {
    name: 'pop3d',
    run: (fault) => runOnce(t, fault),
    // The greeting is the first thing that pop3d itself does.
    firstOwnCall: (calls: readonly Call[]) =>
      Math.max(
        0,
        calls.findIndex(({ target }) => target?.startsWith('socket:') === true),
      ),
    ...naming,
  };
}

async function runOnce(t: Teardown, fault: Fault | null): Promise<FaultyRun> {
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
    return await serve(t, { root, inbox, fault });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

interface Setting {
  readonly root: string;
  readonly inbox: MaildirFixture;
  readonly fault: Fault | null;
}

async function serve(t: Teardown, { root, inbox, fault }: Setting): Promise<FaultyRun> {
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
    ['-f', '-qq', ...strace, process.execPath, builtProgram('pop3d')],
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
  const talk = await converse(client, isPatient ? endMs : 4000);
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
  violations.push(...audit(inbox, talk), ...auditOctets(inbox));
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

/** What a client saw. */
interface Talk {
  readonly violations: readonly string[];
  readonly replies: readonly string[];
  readonly marked: readonly number[];
  readonly saidQuit: boolean;
  readonly quitReply: string | null;
}

/** Sends the commands one by one until the connection ends. */
async function converse(client: WireClient, withinMs: number): Promise<Talk> {
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
  for (const { line, lines, begins } of script) {
    client.write(`${line}\r\n`);
    saidQuit = line === 'QUIT';
    const status = await nextStatus();
    if (status === null) break;
    replies.push(status);
    if (saidQuit) quitReply = status;
    if (!status.startsWith('+OK')) continue;
    if (begins !== undefined && !`${status} `.startsWith(begins))
      violations.push(`${line}: ${status}`);
    if (line.startsWith('DELE')) marked.push(Number(line.slice(5)));
    if (lines === undefined) continue;
    try {
      const given = text(await client.multiline());
      if (!lines.includes(given)) violations.push(`${line}: ${JSON.stringify(given)}`);
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

/** Nothing is lost, nothing is deleted without QUIT, and QUIT told the truth. */
function audit(inbox: MaildirFixture, { marked, saidQuit, quitReply }: Talk): string[] {
  const violations: string[] = [];
  const left = new Map<number, string>();
  for (const folder of ['new', 'cur'] as const) {
    for (const name of inbox.names(folder)) {
      const number = numbers.find((candidate) => name.startsWith(nameOf(candidate)));
      if (number === undefined) violations.push(`a strange file: ${folder}/${name}`);
      else left.set(number, inbox.read(folder, name).toString('latin1'));
    }
  }
  for (const number of numbers) {
    const content = left.get(number);
    if (content !== undefined && content !== messages[number - 1])
      violations.push(`${number} changed`);
    if (content !== undefined) continue;
    if (!marked.includes(number)) violations.push(`message ${number} is lost`);
    else if (!saidQuit) violations.push(`message ${number} went without QUIT`);
  }
  const isAnyLeft = marked.some((number) => left.has(number));
  if (quitReply?.startsWith('+OK') === true && isAnyLeft) violations.push(`false: ${quitReply}`);
  if (quitReply?.startsWith('-ERR') === true && !isAnyLeft && marked.length > 0) {
    violations.push(`all is gone, but: ${quitReply}`);
  }
  return violations;
}

/** What is remembered for later sessions is right: a fault that passes must leave nothing wrong behind. */
function auditOctets({ path }: MaildirFixture): string[] {
  let remembered;
  try {
    remembered = readFileSync(join(path, 'pop3d.octets'), 'latin1');
  } catch {
    return [];
  }
  return numbers.flatMap((number) => {
    const [, octets] = new RegExp(`^(\\d+) ${nameOf(number)}$`, 'm').exec(remembered) ?? [];
    const isWrong = octets !== undefined && Number(octets) !== sent[number - 1]?.length;
    return isWrong ? [`remembered for good: ${octets} octets of message ${number}`] : [];
  });
}
