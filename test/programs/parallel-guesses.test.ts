// Many wrong passwords at a time against kept workers: each meets the delay that the others earned, and who is right is
// served meanwhile.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { hashPassword } from '../../src/auth/stored/make-password.js';
import { poll } from '../support/suite/deadline.js';
import { makeInbox } from '../support/mail/maildir-fixture.js';
import { startMailServer, type MailServer } from '../support/programs/mail-server.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { connectWireClient, type WireClient } from '../support/sessions/wire-client.js';
import { testFolder } from '../support/suite/test-folder.js';

const guesser = '127.0.0.8';

interface GuessedServer extends MailServer {
  readonly workerPid: number;
}

/** With kept workers that are ready: until then connections would get processes of their own. */
async function start(
  t: Test,
  failureDelay: number,
  accounts: Readonly<Record<string, string>>,
  workers = 1,
): Promise<GuessedServer> {
  const mailRoot = testFolder(t, {});
  makePasswordDatabase(join(mailRoot, 'passdb.sqlite'), accounts);
  makeInbox(mailRoot, 'ann@example.org').add('a: b\n\nx\n');
  const server = await startMailServer(t, mailRoot, {
    args: workers === 0 ? [] : ['--workers', String(workers)],
    env: { FAILURE_DELAY: String(failureDelay) },
  });
  if (workers === 0) return { ...server, workerPid: 0 };
  const [, pid = ''] = await server.program.logLine(/worker pid=([0-9]+)/);
  await poll('the worker to serve', async () => {
    const client = await connectWireClient(server.port);
    await client.status();
    client.destroy();
    return new RegExp(`connect .* pid=${pid}$`, 'm').test(server.program.stderr) ? true : undefined;
  });
  return { ...server, workerPid: Number(pid) };
}

/** Connects and gives a name: all but the password. */
async function named(port: number, from: string): Promise<WireClient> {
  const client = await connectWireClient(port, '127.0.0.1', from);
  await client.status();
  await client.ok('USER ann@example.org');
  return client;
}

t.test('guesses at the same time meet the delay that grew since they began', async (t) => {
  const { port, program } = await start(t, 1, { 'ann@example.org': 'open sesame' });
  const guesses = await Promise.all([guesser, guesser, guesser].map((from) => named(port, from)));
  const neighbour = await named(port, '127.0.0.9');
  const startMs = performance.now();
  const answered: string[] = [];
  const fail = async (client: WireClient, name: string): Promise<number> => {
    t.match(await client.command('PASS wrong'), /^-ERR \[AUTH\]/);
    answered.push(name);
    client.destroy();
    return (performance.now() - startMs) / 1000;
  };
  const failing = guesses.map((client) => fail(client, 'guess'));
  await poll('three failures', () =>
    Promise.resolve(program.stderr.match(/failure .*code=AUTH/g)?.length === 3 ? true : undefined),
  );
  const [seconds] = await Promise.all([Promise.all(failing), fail(neighbour, 'neighbour')]);
  const [first = 0, second = 0, third = 0] = seconds.sort((a, b) => a - b);
  t.ok(first > 0.99, `first ${first} s`);
  t.ok(second > 1.99, `second ${second} s`);
  t.ok(third > 3.99, `third ${third} s`);
  t.equal(answered.at(-1), 'guess', 'somebody else does not wait so long');
});

for (const [title, workers] of [
  ['a kept worker', 1],
  ['a process for each connection', 0],
] as const) {
  t.test(`who hangs up owes the delay all the same, with ${title}`, async (t) => {
    const { port, program } = await start(t, 3, { 'ann@example.org': 'open sesame' }, workers);
    const wrong = await named(port, guesser);
    const startMs = performance.now();
    wrong.write('PASS wrong\r\n');
    await program.logLine(/failure .*code=AUTH/);
    wrong.destroy();
    const right = await named(port, guesser);
    t.match(await right.command('PASS open sesame'), /^\+OK/);
    const seconds = (performance.now() - startMs) / 1000;
    t.ok(seconds > 2.99, `a right password was answered after ${seconds} s`);
    right.destroy();
  });
}

/** Attempts at a time, as one machine can make them without trying hard. */
const guessCount = 200;

t.test('200 guesses at new hashes hold up no session, no known user and no memory', async (t) => {
  const secret = await hashPassword('ARGON2ID', Buffer.from('open sesame'));
  const accounts = { 'ann@example.org': secret, 'ben@example.org': secret };
  const { port, workerPid } = await start(t, 0, accounts);
  const user = await connectWireClient(port);
  await user.login('ann@example.org', 'open sesame');
  const guesses = await Promise.all(Array.from({ length: guessCount }, () => named(port, guesser)));
  let answeredCount = 0;
  const attack = Promise.all(
    guesses.map(async (client) => {
      t.match(await client.command('PASS wrong'), /^-ERR \[AUTH\]/);
      answeredCount += 1;
      client.destroy();
    }),
  );
  const again = await connectWireClient(port);
  await again.login('ann@example.org', 'open sesame');
  t.ok(answeredCount < guessCount / 2, `who is known did not wait for ${answeredCount} hashes`);
  const stranger = await connectWireClient(port);
  const login = stranger.login('ben@example.org', 'open sesame');
  let longestMs = 0;
  let count = 0;
  for (; answeredCount < guessCount; count += 1) {
    const startMs = performance.now();
    await user.ok('NOOP');
    await user.message('RETR 1');
    longestMs = Math.max(longestMs, performance.now() - startMs);
  }
  await attack;
  await login;
  for (const client of [user, again, stranger]) client.destroy();
  t.comment(`${count} retrievals, the longest took ${longestMs} ms`);
  t.ok(longestMs < 1000, `the longest of ${count} retrievals took ${longestMs} ms`);
  const peak = /^VmHWM:\s*([0-9]+) kB$/m.exec(
    readFileSync(`/proc/${workerPid}/status`, 'latin1'),
  )?.[1];
  // Two hashes of 19 MB at a time; two hundred would take 4 GB.
  t.ok(Number(peak) < 300_000, `the worker took ${peak ?? '?'} KB at most`);
});
