// How many users several nodes over one file system carry: what a session costs is measured here, over a file system that a
// program serves (bindfs), and the rest is arithmetic. As root, with strace and bindfs: node build/bench/cluster-model.js [calls a second that the file system answers]

import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { mountFuse } from '../test/support/mail/fuse-file-system.js';
import { startMailServer } from '../test/support/programs/mail-server.js';
import { startCommand } from '../test/support/programs/run-program.js';
import { connectWireClient } from '../test/support/sessions/wire-client.js';
import { poll } from '../test/support/suite/deadline.js';
import { LoadGenerator, password } from './load.js';
import { Mailstore } from './mailstore.js';
import { formatNumber } from './part.js';
import { childrenOf } from './process-tree.js';
import { processorMsOf } from './processor-time.js';
import { formatTable } from './report.js';
import { owner } from './site.js';
import { Teardowns } from './teardowns.js';

/** How often a mail program looks, and how many of ten looks find one new message. */
const minutesBetween = 10;
const tenthsWithMail = 1;
/** Of a node's processors; the rest is for peaks. */
const processorsUsed = 0.5 * 2;
const fileSystemCalls = Number(process.argv[2] ?? 2000);

const users = 50;
/** Of mail that came lately, no machine's stamp is believed; most looks are at older mail. */
const settleMs = 140_000;
const timedSessions = 6000;
const countedSessions = 50;

const t = new Teardowns();
const folder = mkdtempSync(join(tmpdir(), 'bench-model-'));

const store = new Mailstore(t);
const user = store.addUsers(users, { messages: 10, octets: 4000 });
const { mailRoot: stored, passdb } = await store.site();
const mailRoot = join(folder, 'mail');
mkdirSync(mailRoot);
chmodSync(folder, 0o755);
await mountFuse(t, stored, mailRoot);
const { port, program } = await startMailServer(t, mailRoot, {
  args: ['--user', owner.name, '--workers', '1', '--concurrency', '100'],
  env: { PASSDB: passdb },
});
const worker = await poll('a worker', () => Promise.resolve(childrenOf(program.pid)[0]));

/** Processor time of tcpsrun and worker for a session of LOGIN, STAT, UIDL, QUIT; microseconds. */
async function processorMicros(): Promise<number> {
  mkdirSync(join(folder, 'load'));
  const load = LoadGenerator.build(join(folder, 'load'));
  const shape = { port, user, users, commands: ['STAT', 'UIDL'], concurrency: 16 };
  await load.run(t, { ...shape, sessions: 2 * timedSessions });
  const used = (): number => processorMsOf(program.pid) + processorMsOf(worker);
  const from = used();
  await load.run(t, { ...shape, sessions: timedSessions });
  return ((used() - from) * 1000) / timedSessions;
}

/** What a session asks of the file system with the mail, by kind of call. */
type Calls = ReadonlyMap<string, number>;

const kinds: readonly (readonly [string, RegExp])[] = [
  ['stat', /^(?:statx|newfstatat|lstat|stat|fstat|statfs|access|faccessat2?)$/],
  ['open', /^openat?$/],
  ['list', /^getdents64$/],
  ['read', /^(?:read|pread64)$/],
  ['change', /^(?:unlink(?:at)?|rename(?:at2?)?|link(?:at)?|write|pwrite64|fsync)$/],
];

/** How files of a maildrop are named once its directory is open. */
const throughDescriptor = '/proc/self/fd/';

/** @param line of strace -y: `1 openat(AT_FDCWD</current/directory>, "path", …` */
function isOnMail(line: string): boolean {
  const [, path] = /"([^"]*)"/.exec(line) ?? [];
  const isPath = path !== undefined && path !== '' && !/^\d+ +p?(?:read|write)/.test(line);
  if (!isPath) return line.includes(mailRoot);
  // The current directory is the mail root.
  const isRelative = !path.startsWith('/');
  return isRelative || path.startsWith(mailRoot) || path.startsWith(throughDescriptor);
}

/** @param session what each of the users does, one after the other, as long as no list is remembered */
async function countCalls(session: (name: string) => Promise<void>): Promise<Calls> {
  const output = join(folder, 'calls');
  const options = ['-f', '-qq', '-y', '-e', 'trace=%file,%desc', '-e', 'signal=none'];
  const strace = startCommand(t, 'strace', [...options, '-o', output, '-p', String(worker)]);
  await poll('strace to watch', () =>
    Promise.resolve(
      /^TracerPid:\s+[1-9]/m.test(readFileSync(`/proc/${worker}/status`, 'latin1'))
        ? true
        : undefined,
    ),
  );
  for (let number = 0; number < countedSessions; number += 1) {
    await session(user.replace('%d', String(number % users)));
  }
  strace.kill('SIGINT');
  await strace.ending;
  const calls = new Map<string, number>(kinds.map(([kind]) => [kind, 0]));
  for (const line of readFileSync(output, 'latin1').split('\n')) {
    // A call that others interrupted has a second line, without its path.
    const name = /^\d+ +(\w+)\(/.exec(line)?.[1] ?? '';
    const kind = kinds.find(([, names]) => names.test(name))?.[0];
    if (kind === undefined || !isOnMail(line)) continue;
    calls.set(kind, (calls.get(kind) ?? 0) + 1 / countedSessions);
  }
  return calls;
}

async function look(name: string, isNew: boolean): Promise<void> {
  const client = await connectWireClient(port);
  await client.login(name, password);
  await client.ok('STAT');
  await client.listing('UIDL');
  if (isNew) {
    await client.listing('RETR 1');
    await client.ok('DELE 1');
  }
  await client.ok('QUIT');
}

const sum = (calls: Calls): number => [...calls.values()].reduce((all, each) => all + each, 0);

try {
  const micros = await processorMicros();
  process.stdout.write(
    'Waits until the mail is two minutes old, and no list of it is remembered.\n',
  );
  await delay(settleMs);
  const idle = await countCalls((name) => look(name, false));
  const busy = await countCalls((name) => look(name, true));
  const row = (title: string, calls: Calls): string[] => [
    title,
    ...[...calls.values(), sum(calls)].map(formatNumber),
  ];
  process.stdout.write(
    formatTable({
      title: 'Calls on the file system with the mail, of one session in a kept worker',
      columns: ['session', ...kinds.map(([kind]) => kind), 'all'],
      rows: [
        row('login, STAT, UIDL, QUIT', idle),
        row('again at once, one message retrieved and deleted', busy),
      ],
    }),
  );
  const callsEach = (sum(idle) * (10 - tenthsWithMail) + sum(busy) * tenthsWithMail) / 10;
  const perNode = (processorsUsed * 1_000_000) / micros;
  const perFileSystem = fileSystemCalls / callsEach;
  process.stdout.write(
    `\n${formatNumber(micros)} µs of processor time a session: a node of two processors, half of them used, carries ${formatNumber(perNode)} sessions/s.\n` +
      `${formatNumber(callsEach)} calls a session: a file system that answers ${fileSystemCalls} calls/s carries ${formatNumber(perFileSystem)} sessions/s.\n\n`,
  );
  process.stdout.write(
    formatTable({
      title: `Users who look every ${minutesBetween} minutes, ${tenthsWithMail} of 10 times with a new message`,
      columns: ['users', 'sessions/s', 'nodes', 'file calls/s', 'such file systems', 'queries/s'],
      rows: [10_000, 100_000, 1_000_000].map((count) => {
        const sessions = count / (minutesBetween * 60);
        return [
          count.toLocaleString('en-US'),
          ...[
            sessions,
            Math.ceil(sessions / perNode),
            sessions * callsEach,
            Math.ceil(sessions / perFileSystem),
            sessions,
          ].map(formatNumber),
        ];
      }),
    }),
  );
} finally {
  await t.run();
  rmSync(folder, { recursive: true, force: true });
}
