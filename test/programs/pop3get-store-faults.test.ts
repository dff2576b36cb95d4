// pop3get where mail cannot be stored, the journal cannot be written, or the server cannot be reached.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { skipOrFail } from '../support/peers/debian.js';
import { unlessTraceable } from '../support/suite/path-trace.js';
import {
  makeMaildir,
  numberedMessages,
  runPop3get,
  sortedContents,
  startFakeServer,
  storedContents,
} from '../support/programs/pop3get-fixture.js';
import {
  builtProgram,
  runCommand,
  runProgram,
  type Result,
} from '../support/programs/run-program.js';
import { mountSmallFileSystem, unlessMountable } from '../support/mail/small-file-system.js';
import { testFolder } from '../support/suite/test-folder.js';

const three = numberedMessages(3);
const env = { POP3GET_PASSWORD: 'secret' };

/** Runs it with each call of a name failing from the n-th on: the first of some are the journal's, at the start. */
async function runFailing(
  t: Test,
  port: number,
  maildir: string,
  [call, from, error]: readonly [call: string, from: number, error: string],
): Promise<Result> {
  const output = join(testFolder(t, {}), 'trace');
  return runCommand(
    t,
    'strace',
    [
      ...['-f', '-qq', '-o', output, '-e', `trace=${call}`],
      ...['-e', `inject=${call}:error=${error}:when=${from}+`],
      ...[process.execPath, builtProgram('pop3get'), '--port', String(port)],
      ...['--directory', maildir, '127.0.0.1', 'ann'],
    ],
    // One thread makes all of the calls that are counted.
    { env: { ...env, UV_THREADPOOL_SIZE: '1' } },
  );
}

for (const [call, from, what] of [
  ['fsync', 2, 'the sync of a message'],
  // The first link only finds out whether there are any.
  ['link', 2, 'the link in new'],
  ['fdatasync', 2, 'the sync of the journal'],
] as const) {
  for (const error of ['ENOSPC', 'EDQUOT', 'EIO', 'EACCES']) {
    t.test(
      `${error} at ${what}: 111, nothing is deleted, tmp is clean, and the next run does it`,
      { skip: unlessTraceable() },
      async (t) => {
        const server = await startFakeServer(t, { messages: three });
        const maildir = makeMaildir(t);
        const failed = await runFailing(t, server.port, maildir, [call, from, error]);
        t.equal(failed.status, 111, failed.stderr);
        t.match(failed.stderr, new RegExp(`cannot store .*${error}: `));
        t.notMatch(failed.stderr, /Unknown system error|^ +at /m);
        t.equal(server.messages.length, 3);
        t.notMatch(server.commands.join('\n'), /DELE/);
        t.same(readdirSync(join(maildir, 'tmp')), []);
        t.equal((await runPop3get(t, server.port, maildir)).status, 0);
        t.equal(server.messages.length, 0);
        t.same([...storedContents(maildir)].sort(), sortedContents(three));
      },
    );
  }
}

t.test(
  'no inodes left: what was stored goes, the rest stays',
  { skip: unlessMountable() },
  async (t) => {
    const messages = numberedMessages(12);
    // The Maildir takes five, lock and journal two; a link costs one as well.
    for (const inodes of [8, 9, 10, 13]) {
      const mountPoint = mountSmallFileSystem(t, `size=4m,nr_inodes=${inodes}`);
      const server = await startFakeServer(t, { messages });
      const maildir = makeMaildir(t, mountPoint);
      const first = await runPop3get(t, server.port, maildir);
      t.equal(first.status, 111, `${inodes}: ${first.stderr}`);
      t.match(first.stderr, /ENOSPC/);
      t.same(readdirSync(join(maildir, 'tmp')), []);
      const stored = storedContents(maildir);
      const kept = sortedContents(server.messages);
      t.same([...stored, ...kept].sort(), sortedContents(messages), 'each is here or there');
      execFileSync('mount', ['-o', 'remount,nr_inodes=100', mountPoint]);
      t.equal((await runPop3get(t, server.port, maildir)).status, 0);
      t.equal(server.messages.length, 0);
      t.same([...storedContents(maildir)].sort(), sortedContents(messages));
    }
  },
);

t.test(
  'new on another file system than tmp is no Maildir',
  { skip: unlessMountable() },
  async (t) => {
    const server = await startFakeServer(t, { messages: three });
    const maildir = makeMaildir(t);
    mountSmallFileSystem(t, 'size=1m', join(maildir, 'new'));
    const { status, stderr } = await runPop3get(t, server.port, maildir);
    t.equal(status, 100);
    t.match(stderr, /tmp and .*new are on different file systems/);
    t.equal(server.sessions, 0, 'nobody was asked for anything');
  },
);

/** The path of the one account's journal in a Maildir that has served. */
function journalIn(maildir: string): string {
  const [name = ''] = readdirSync(maildir).filter((one) => one.endsWith('.journal'));
  return join(maildir, name);
}

t.test('a journal that cannot be made, or not be read: nothing is fetched', async (t) => {
  const server = await startFakeServer(t, { messages: three });
  const maildir = makeMaildir(t);
  t.equal((await runPop3get(t, server.port, maildir, ['--keep'])).status, 0);
  const { sessions } = server;
  const journal = journalIn(maildir);
  rmSync(journal);
  for (const [taken, message] of [
    [`${journal}.tmp`, /cannot write .*journal: EISDIR.*nothing was fetched/],
    [journal, /journal is a directory, .*remove it/],
  ] as const) {
    mkdirSync(taken);
    const { status, stderr } = await runPop3get(t, server.port, maildir);
    t.equal(status, 100);
    t.match(stderr, message);
    t.notMatch(stderr, /^ +at /m);
    t.equal(server.sessions, sessions, 'nobody was asked for anything');
    rmdirSync(taken);
  }
  t.equal((await runPop3get(t, server.port, maildir)).status, 0);
  t.equal(server.messages.length, 0);
  t.equal(storedContents(maildir).length, 3);
});

t.test(
  'a Maildir on a file system that is read-only: nothing is fetched',
  { skip: unlessMountable() },
  async (t) => {
    const server = await startFakeServer(t, { messages: three });
    const maildir = makeMaildir(t);
    execFileSync('mount', ['--bind', maildir, maildir]);
    t.teardown(() => {
      execFileSync('umount', [maildir]);
    });
    execFileSync('mount', ['-o', 'remount,bind,ro', maildir]);
    const { status, stderr } = await runPop3get(t, server.port, maildir);
    t.equal(status, 111);
    t.match(stderr, /cannot store in .*: read-only file system/);
    t.notMatch(stderr, /^ +at /m);
    t.equal(server.sessions, 0);
  },
);

async function unlessIpv6(): Promise<string | false> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(0, '::1', resolve);
    });
    return false;
  } catch {
    return skipOrFail('there is no ::1 here');
  } finally {
    server.close();
  }
}

t.test('a server on ::1 only', { skip: await unlessIpv6() }, async (t) => {
  const server = await startFakeServer(t, { messages: three, host: '::1' });
  const words = ['--port', String(server.port), '--directory'];
  for (const domain of [['--byip', '127.0.0.1;::1'], ['::1']]) {
    const maildir = makeMaildir(t);
    const args = [...words, maildir, '--keep', ...domain, 'ann'];
    const { status, stderr } = await runProgram(t, 'pop3get', args, { env });
    t.equal(status, 0, stderr);
    t.same([...storedContents(maildir)].sort(), sortedContents(three));
  }
});

t.test(
  'an address that cannot be reached is 111 and says why',
  { skip: unlessMountable() },
  async (t) => {
    const maildir = makeMaildir(t);
    // A network of its own: it has no route but the one that refuses.
    const script =
      'ip link set lo up && ip route add unreachable 192.0.2.1 && exec "$0" "$1" --directory "$2" --byip "$3" ann';
    for (const [address, reason] of [
      ['192.0.2.1', /no way to 192\.0\.2\.1/],
      ['192.0.2.2', /no way to 192\.0\.2\.2/],
      ['192.0.2.2;192.0.2.1;::1', /no way to 192\.0\.2\.2.*; .*192\.0\.2\.1.*; .*::1/],
    ] as const) {
      const program = [process.execPath, builtProgram('pop3get'), maildir, address];
      const { status, stderr } = await runCommand(
        t,
        'unshare',
        ['-n', 'sh', '-c', script, ...program],
        {
          env: { ...env, PATH: process.env['PATH'] ?? '' },
        },
      );
      t.equal(status, 111, stderr);
      t.match(stderr, reason);
      t.notMatch(stderr, /^ +at /m);
    }
  },
);
