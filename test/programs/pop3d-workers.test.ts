// pop3d as a kept worker, where something happens to one process that serves many: signals, and a disk that stands still.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { poll } from '../support/suite/deadline.js';
import { expectProgram } from '../support/peers/debian.js';
import { makeInbox, type MaildirFixture } from '../support/mail/maildir-fixture.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { unlessTraceable } from '../support/suite/path-trace.js';
import {
  builtProgram,
  startCommand,
  type RunningProgram,
} from '../support/programs/run-program.js';
import { startTcpsrun } from '../support/programs/tcpsrun-fixture.js';
import { connectWireClient, type WireClient } from '../support/sessions/wire-client.js';

interface Served {
  readonly program: RunningProgram;
  readonly inbox: MaildirFixture;
  readonly connect: (from?: string) => Promise<WireClient>;
}

/** ann's maildrop with three messages, served by so many kept workers. */
async function serve(
  t: Test,
  workers: number,
  args: readonly string[] = [],
  pop3d = builtProgram('pop3d'),
): Promise<Served> {
  const { program, port, directory } = await startTcpsrun(t, {
    runFile: [
      `program ${process.execPath}`,
      ...['node', pop3d, ...args, '%3'].map((argument) => `argument ${argument}`),
    ].join('\n'),
    options: ['--workers', String(workers)],
  });
  makePasswordDatabase(join(directory, 'passdb.sqlite'), { 'ann@example.org': 'open sesame' });
  const inbox = makeInbox(directory, 'ann@example.org');
  for (let count = 0; count < 3; count += 1) inbox.add('a: b\n\nx\n');
  const served: Served = {
    program,
    inbox,
    connect: (from) => connectWireClient(port, '127.0.0.1', from),
  };
  await untilReady(served, workers);
  return served;
}

/** Before its workers are up, tcpsrun starts a process for each connection: what serves a connection tells that they are. */
async function untilReady(served: Served, count: number): Promise<void> {
  let addressCount = 0;
  await poll(`${count} workers to be ready`, async () => {
    const addresses = Array.from({ length: count }, () => `127.0.1.${(addressCount += 1)}`);
    const clients = await Promise.all(addresses.map((address) => served.connect(address)));
    for (const client of clients) await client.status();
    const pids = await workersOf(served, addresses);
    for (const client of clients) {
      await client.ok('QUIT');
      client.end();
    }
    const areWorkers = pids.every((pid) => served.program.stderr.includes(`worker pid=${pid}\n`));
    return areWorkers && new Set(pids).size === count ? true : undefined;
  });
}

/** The process that serves who came from an address: its sessions have the pid in their names. */
async function workerOf({ program }: Served, address: string): Promise<number> {
  const [, pid = ''] = await program.logLine(
    new RegExp(
      `^pop3d: connect session=([0-9a-z]+)\\.\\S+ peer=${address.replaceAll('.', '\\.')} `,
    ),
  );
  return parseInt(pid, 36);
}

async function workersOf(served: Served, addresses: readonly string[]): Promise<number[]> {
  const pids: number[] = [];
  for (const address of addresses) pids.push(await workerOf(served, address));
  return pids;
}

/** Waits until the log has so many lines that match: workers write them a little later. */
async function linesLike({ program }: Served, pattern: RegExp, count: number): Promise<string[]> {
  return poll(`${count} lines like ${String(pattern)}`, () => {
    const lines = program.stderr.match(pattern) ?? [];
    return Promise.resolve(lines.length >= count ? [...lines] : undefined);
  });
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  t.test(
    `${signal} to a kept worker ends each of its sessions with a reply and deletes nothing`,
    async (t) => {
      const served = await serve(t, 1);
      const { inbox } = served;
      const addresses = ['127.0.0.11', '127.0.0.12', '127.0.0.13'];
      const clients: WireClient[] = [];
      for (const address of addresses) {
        const client = await served.connect(address);
        await client.login('ann@example.org', 'open sesame');
        await client.ok('DELE 1');
        clients.push(client);
      }
      const pids = await workersOf(served, addresses);
      t.equal(new Set(pids).size, 1);
      process.kill(pids[0] ?? 0, signal);
      for (const client of clients) {
        t.match((await client.rest()).toString(), /^-ERR \[SYS\/TEMP\] [^\n]*\r\n$/);
        client.end();
      }
      const next = await served.connect();
      await next.login('ann@example.org', 'open sesame');
      t.equal(await next.ok('STAT'), '+OK 3 33', 'and there is somebody to serve the next client');
      await next.ok('QUIT');
      next.end();
      await linesLike(served, /^pop3d: logout .*reason=signal .*dele=0 .*$/gm, 3);
      t.equal(inbox.contents().length, 3);
    },
  );
}

t.test('a kept worker whose program is another one now makes room for a new one', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pop3d-workers-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const program = join(folder, 'pop3d');
  symlinkSync(builtProgram('pop3d'), program);
  const served = await serve(t, 1, [], program);
  const running = await served.connect('127.0.0.11');
  await running.login('ann@example.org', 'open sesame');
  const pid = await workerOf(served, '127.0.0.11');
  unlinkSync(program);
  symlinkSync(builtProgram('src/programs/pop3d.js'), program);
  await poll('the worker to look at its program', async () => {
    const client = await served.connect();
    await client.ok('QUIT');
    client.end();
    return served.program.stderr.includes(`worker-retired pid=${pid} why="${program} changed"`)
      ? true
      : undefined;
  });
  t.equal(await running.ok('STAT'), '+OK 3 33', 'its sessions go on');
  running.end();
});

t.test('what is no message is told once in each session of a kept worker', async (t) => {
  const served = await serve(t, 1);
  writeFileSync(join(served.inbox.path, 'cur', '.hidden'), '');
  execFileSync('mkfifo', [join(served.inbox.path, 'cur', 'fi\nfo')]);
  for (let session = 1; session <= 3; session += 1) {
    const client = await served.connect();
    await client.login('ann@example.org', 'open sesame');
    await client.ok('STAT');
    await client.ok('LIST');
    await client.multiline();
    await client.ok('QUIT');
    client.end();
  }
  await linesLike(served, /^pop3d: logout .*reason=quit .*messages=3 .*$/gm, 3);
  const lines = await linesLike(served, /^pop3d: skipped .*$/gm, 3);
  t.equal(lines.length, 3);
  for (const line of lines) t.match(line, /skipped session=\S+ entries=1 file="cur\/fi\\nfo"$/);
});

t.test(
  'a disk that answers late holds up one worker, and its timers still run',
  { skip: unlessTraceable() },
  async (t) => {
    const served = await serve(t, 2, ['--idle-timeout', '5']);
    const addresses = ['127.0.0.11', '127.0.0.12', '127.0.0.13', '127.0.0.14'];
    const all = [];
    for (const address of addresses) {
      const client = await served.connect(address);
      await client.status();
      all.push({ client, pid: await workerOf(served, address) });
    }
    const slowPid = all[0]?.pid ?? 0;
    const [idle, waiting] = all.filter(({ pid }) => pid === slowPid);
    const [prompt] = all.filter(({ pid }) => pid !== slowPid);
    if (idle === undefined || waiting === undefined || prompt === undefined) {
      t.fail('connections do not go to both workers');
      return;
    }
    await logIn(idle.client);
    const strace = startCommand(t, expectProgram('strace'), [
      ...['-f', '-p', String(slowPid), '-e', 'trace=getdents64'],
      ...['-e', 'inject=getdents64:delay_exit=700000'],
    ]);
    await strace.logLine(/attached/);
    let isAnswered = false;
    const login = logIn(waiting.client).then(() => (isAnswered = true));
    await strace.logLine(/getdents64\(/);
    await logIn(prompt.client);
    t.equal((await prompt.client.listing('LIST')).length, 3);
    await prompt.client.message('RETR 1');
    await prompt.client.ok('QUIT');
    t.notOk(isAnswered, 'the other worker still waits for its disk');
    await login;
    t.equal((await waiting.client.listing('UIDL')).length, 3);
    t.equal((await idle.client.rest()).length, 0, 'who was idle is closed');
    await served.program.logLine(/logout .*reason=timeout/);
    for (const { client } of all) client.destroy();
  },
);

async function logIn(client: WireClient): Promise<void> {
  await client.ok('USER ann@example.org');
  await client.ok('PASS open sesame');
}
