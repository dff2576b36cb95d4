// Login, STAT, LIST and UIDL on a maildrop of 100,000 messages of 1.5 kB, the first time and again: pop3d in a process of
// its own and in a kept worker, beside Dovecot, in alternating rounds of one run. Also processor time, memory, and how long
// another session of the same worker waits meanwhile. As root: node build/bench/large-maildrop.js [messages] [rounds]

import { readdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { startDovecot, unlessDovecot, type Dovecot } from '../test/support/peers/dovecot.js';
import { startMailServer } from '../test/support/programs/mail-server.js';
import {
  startProgram,
  type RunningProgram,
  type Teardown,
} from '../test/support/programs/run-program.js';
import { mailOwner, password, SharedMailstore } from '../test/support/mail/shared-mailstore.js';
import { connectWireClient, WireClient } from '../test/support/sessions/wire-client.js';
import type { NoopThreadData } from './noop-thread.js';
import { processorMsOfDescendants } from './processor-time.js';

const messageCount = Number(process.argv[2] ?? 100_000);
const rounds = Number(process.argv[3] ?? 3);
const messageBytes = 1500;

const handlers: (() => Promise<void>)[] = [];
const teardown: Teardown = { teardown: (handler) => handlers.unshift(handler) };

/** From connecting to the last line of UIDL. */
interface Opening {
  readonly ms: number;
  /** Of all processes that had a part in it. */
  readonly processorMs: number;
  /** Where one process served it all. */
  readonly peakMegabytes?: number;
  /** What NOOPs of another session of the same process took. */
  readonly noopTimesMs?: readonly number[];
}

interface Contender {
  readonly name: string;
  readonly open: () => Promise<Opening>;
  /** Makes it forget what it knows of the maildrop. */
  readonly forget: () => void;
}

async function work(client: WireClient): Promise<void> {
  await client.login('ann@example.org', password);
  const stat = await client.command('STAT');
  if (!stat.startsWith(`+OK ${messageCount} `)) throw new Error(`STAT: ${stat}`);
  for (const command of ['LIST', 'UIDL']) {
    const { length } = await client.listing(command);
    if (length !== messageCount) throw new Error(`${command}: ${length} lines`);
  }
}

async function openOver(port: number): Promise<Opening> {
  const processorMsBefore = processorMsOfDescendants();
  const start = performance.now();
  const client = await connectWireClient(port);
  await work(client);
  const ms = performance.now() - start;
  const processorMs = processorMsOfDescendants() - processorMsBefore;
  await client.ok('QUIT');
  await client.rest();
  return { ms, processorMs };
}

async function openInOwnProcess(store: SharedMailstore): Promise<Opening> {
  const processorMsBefore = processorMsOfDescendants();
  const start = performance.now();
  const program = startProgram(teardown, 'pop3d', ['--passdb', store.passdb], {
    cwd: store.mailRoot,
  });
  const client = new WireClient(program.stdout, program.stdin);
  await work(client);
  const ms = performance.now() - start;
  const processorMs = processorMsOfDescendants() - processorMsBefore;
  const peakMegabytes = peakMegabytesOf(program);
  await client.ok('QUIT');
  program.stdin.end();
  await program.ending;
  return { ms, processorMs, peakMegabytes };
}

async function openInWorker(port: number): Promise<Opening> {
  const workerData: NoopThreadData = { port, user: 'bob@example.org', password };
  const other = new Worker(new URL('./noop-thread.js', import.meta.url), { workerData });
  await once(other, 'message');
  const opening = await openOver(port);
  other.postMessage('end');
  const [noopTimesMs] = (await once(other, 'message')) as [readonly number[]];
  return { ...opening, noopTimesMs };
}

function peakMegabytesOf({ pid }: RunningProgram): number {
  const kilobytes = /^VmHWM:\s+([0-9]+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return Number(kilobytes?.[1]) / 1000;
}

function fill(inbox: string): void {
  const header = 'Return-Path: <a@example.net>\nFrom: A <a@example.net>\nSubject: ';
  const body = `\n\n${'So it goes, line after line, and now and then there is a dot.\n'.repeat(23)}`;
  for (let serial = 0; serial < messageCount; serial += 1) {
    const subdirectory = serial % 2 === 0 ? 'cur' : 'new';
    const info = subdirectory === 'cur' ? ':2,S' : '';
    const name = `${1_700_000_000 + serial}.M${serial}P1Q${serial}.host${info}`;
    writeFileSync(join(inbox, subdirectory, name), `${header}message ${serial}${body}`);
  }
}

/** As it was delivered: Dovecot has moved all mail to cur, and what it has to do for the first time is to do so. */
function moveHalfToNew(inbox: string): void {
  for (const name of readdirSync(join(inbox, 'cur'))) {
    const serial = Number(/M([0-9]+)P/.exec(name)?.[1]);
    if (serial % 2 === 0) continue;
    renameSync(join(inbox, 'cur', name), join(inbox, 'new', name.replace(/:.*/, '')));
  }
}

function forgetDovecot(inbox: string): void {
  for (const name of readdirSync(inbox))
    if (name.startsWith('dovecot')) unlinkSync(join(inbox, name));
}

function report(name: string, first: readonly Opening[], again: readonly Opening[]): string {
  const peaks = [...first, ...again].flatMap(({ peakMegabytes }) => peakMegabytes ?? []);
  const noops = first.flatMap(({ noopTimesMs }) => noopTimesMs ?? []).sort(ascending);
  const cells = [
    ...[first, again].flatMap((openings) => [
      median(openings.map(({ ms }) => ms)),
      Math.min(...openings.map(({ ms }) => ms)),
      median(openings.map(({ processorMs }) => processorMs)),
    ]),
    peaks.length === 0 ? Number.NaN : Math.max(...peaks),
    noops[Math.floor(noops.length * 0.99)] ?? Number.NaN,
    noops.at(-1) ?? Number.NaN,
  ];
  const texts = cells.map((cell) => (Number.isNaN(cell) ? '–' : cell.toFixed(0)));
  return `| ${[name, ...texts].join(' | ')} |\n`;
}

function median(values: readonly number[]): number {
  return values.toSorted(ascending)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function ascending(a: number, b: number): number {
  return a - b;
}

async function contenders(store: SharedMailstore, dovecot: Dovecot): Promise<readonly Contender[]> {
  const inbox = store.inboxPath('ann');
  const forgetPop3d = (): void => rmSync(join(inbox, 'pop3d.octets'), { force: true });
  const { port } = await startMailServer(teardown, store.mailRoot, {
    args: ['--workers', '1', '--user', 'nobody'],
    env: { PASSDB: store.passdb },
  });
  return [
    {
      name: 'Dovecot',
      open: () => openOver(dovecot.pop3Port),
      forget: () => {
        forgetDovecot(inbox);
      },
    },
    { name: 'pop3d, own process', open: () => openInOwnProcess(store), forget: forgetPop3d },
    {
      name: 'pop3d, kept worker',
      open: () => openInWorker(port),
      // What it keeps in memory is of no use any more when mail was moved.
      forget: forgetPop3d,
    },
  ];
}

const reason = unlessDovecot();
if (reason !== false) throw new Error(reason);
try {
  const store = SharedMailstore.make(teardown, 'ann', 'bob');
  const inbox = store.inbox('ann');
  fill(inbox.path);
  store.inbox('bob');
  const dovecot = await startDovecot(teardown, {
    mailRoot: store.mailRoot,
    passdb: store.passdb,
    mailUser: mailOwner,
    settings: 'service pop3 {\n  service_count = 0\n}\n',
  });
  const all = await contenders(store, dovecot);
  const results = all.map((contender) => ({ contender, first: [], again: [] })) as {
    readonly contender: Contender;
    readonly first: Opening[];
    readonly again: Opening[];
  }[];
  for (let round = 0; round < rounds; round += 1) {
    for (const { contender, first, again } of results) {
      contender.forget();
      moveHalfToNew(inbox.path);
      first.push(await contender.open());
      again.push(await contender.open());
    }
  }
  process.stdout.write(
    `${messageCount} messages of ${messageBytes} bytes, medians of ${rounds} rounds\n\n` +
      'First: nothing is remembered; again: what each remembers. NOOP: of another session of that worker, the first time.\n\n' +
      '| server | first, ms | best | processor ms | again, ms | best | processor ms | peak MB | NOOP p99, ms | longest |\n' +
      '|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n' +
      results.map(({ contender, first, again }) => report(contender.name, first, again)).join(''),
  );
} finally {
  for (const handler of handlers) await handler();
}
