// Login, STAT, LIST and UIDL on a maildrop of 100,000 messages of 1.5 kB, the first time and again: pop3d in a process of
// its own and in a kept worker, beside Dovecot, in alternating rounds of one run. Also memory, and how long another
// session of the same worker waits meanwhile. As root: node build/bench/large-maildrop.js [messages] [rounds]

import { readdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startDovecot, unlessDovecot, type Dovecot } from '../test/support/dovecot.js';
import { startMailServer } from '../test/support/mail-server.js';
import { startProgram, type RunningProgram, type Teardown } from '../test/support/run-program.js';
import { mailOwner, password, SharedMailstore } from '../test/support/shared-mailstore.js';
import { connectWireClient, WireClient } from '../test/support/wire-client.js';

const messageCount = Number(process.argv[2] ?? 100_000);
const rounds = Number(process.argv[3] ?? 3);
const messageBytes = 1500;

const handlers: (() => Promise<void>)[] = [];
const teardown: Teardown = { teardown: (handler) => handlers.unshift(handler) };

/** Milliseconds from connecting to the last line of UIDL, and peak memory where one process served it all. */
interface Opening {
  readonly ms: number;
  readonly peakMegabytes?: number;
  /** The longest that a NOOP of another session of the same process took. */
  readonly slowestNoopMs?: number;
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
  const start = performance.now();
  const client = await connectWireClient(port);
  await work(client);
  const ms = performance.now() - start;
  await client.ok('QUIT');
  await client.rest();
  return { ms };
}

async function openInOwnProcess(store: SharedMailstore): Promise<Opening> {
  const start = performance.now();
  const program = startProgram(teardown, 'pop3d', ['--passdb', store.passdb], {
    cwd: store.mailRoot,
  });
  const client = new WireClient(program.stdout, program.stdin);
  await work(client);
  const ms = performance.now() - start;
  const peakMegabytes = peakMegabytesOf(program);
  await client.ok('QUIT');
  await program.ending;
  return { ms, peakMegabytes };
}

async function openInWorker(port: number): Promise<Opening> {
  const other = await connectWireClient(port);
  await other.login('bob@example.org', password);
  const opening = openOver(port);
  let isOpening = true;
  void opening.finally(() => (isOpening = false)).catch(() => undefined);
  let slowestNoopMs = 0;
  const isStillOpening = (): boolean => isOpening;
  while (isStillOpening()) {
    const start = performance.now();
    await other.ok('NOOP');
    slowestNoopMs = Math.max(slowestNoopMs, performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const { ms } = await opening;
  await other.ok('QUIT');
  return { ms, slowestNoopMs };
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
  const all = [...first, ...again];
  const peak = Math.max(...all.map(({ peakMegabytes = 0 }) => peakMegabytes));
  const noop = Math.max(...first.map(({ slowestNoopMs = 0 }) => slowestNoopMs));
  const cells = [
    name,
    median(first).toFixed(0),
    median(again).toFixed(0),
    peak === 0 ? '–' : peak.toFixed(0),
    noop === 0 ? '–' : noop.toFixed(0),
  ];
  return `| ${cells.join(' | ')} |\n`;
}

function median(openings: readonly Opening[]): number {
  const sorted = openings.map(({ ms }) => ms).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
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
      '| server | first, ms | again, ms | peak MB | slowest NOOP of another session, ms |\n' +
      '|---|---:|---:|---:|---:|\n' +
      results.map(({ contender, first, again }) => report(contender.name, first, again)).join(''),
  );
} finally {
  for (const handler of handlers) await handler();
}
