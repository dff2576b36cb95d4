// Peers that send without end or ask without reading: what pop3d holds for them is bounded.

import { appendFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { makeInbox, type MaildirFixture } from '../support/mail/maildir-fixture.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { peakMemory, tryPeakMemory, untilQuiet } from '../support/programs/process-state.js';
import { startProgram, type RunningProgram } from '../support/programs/run-program.js';
import { makeSocketPair } from '../support/sessions/socket-pair.js';
import { WireClient } from '../support/sessions/wire-client.js';
import { testFolder } from '../support/suite/test-folder.js';

const mebibyte = 1 << 20;

interface Started {
  readonly program: RunningProgram;
  readonly socket: Socket;
  readonly client: WireClient;
  readonly inbox: MaildirFixture;
}

/** A session over TCP; its maildrop has one message of 10 MiB. */
async function start(t: Test): Promise<Started> {
  const cwd = testFolder(t, {});
  makePasswordDatabase(join(cwd, 'passdb.sqlite'), { 'ann@example.org': 'open sesame' });
  const inbox = makeInbox(cwd, 'ann@example.org');
  const name = inbox.add('Subject: large\n\n');
  appendFileSync(join(inbox.path, 'new', name), `${'x'.repeat(63)}\n`.repeat(163_840));
  const pair = await makeSocketPair();
  const program = startProgram(t, 'pop3d', [], { cwd, fds: [pair.server, pair.server] });
  pair.server.destroy();
  return { program, socket: pair.client, client: new WireClient(pair.client, pair.client), inbox };
}

t.test('100 MiB without a line end are refused and take no memory', async (t) => {
  const { program, socket, client, inbox } = await start(t);
  await client.login('ann@example.org', 'open sesame');
  await client.ok('DELE 1');
  await untilQuiet(program.pid);
  const before = peakMemory(program.pid);
  // That the server has closed its side does not stop this peer.
  socket.allowHalfOpen = true;
  const block = Buffer.alloc(mebibyte, 'x');
  let peak = before;
  for (let sent = 0; sent < 100 && !socket.destroyed; sent += 1) {
    await new Promise((resolve) => socket.write(block, resolve));
    peak = Math.max(peak, tryPeakMemory(program.pid));
  }
  t.ok(peak - before < 5 * mebibyte, `${peak - before} octets more`);
  t.strictSame(await program.ending, { status: 0, signal: null });
  t.match(program.stderr, /logout .*reason=error .*dele=0 /);
  t.equal(inbox.contents().length, 1);
});

t.test('QUIT and a mebibyte of anything behind it are one reply and no reset', async (t) => {
  const { program, socket, client, inbox } = await start(t);
  await client.login('ann@example.org', 'open sesame');
  await client.ok('DELE 1');
  // Unread input would turn the server's close into a reset, which can overtake the reply.
  socket.pause();
  socket.allowHalfOpen = true;
  client.write('QUIT\r\n');
  await new Promise((resolve) => socket.write(Buffer.alloc(mebibyte, 'NOOP\r\n'), resolve));
  socket.resume();
  t.match((await client.rest()).toString(), /^\+OK [^\n]*\r\n$/);
  // A connection that was reset, or is soon, would refuse one of these.
  for (let count = 0; count < 20; count += 1) {
    const failure = await new Promise((resolve) => socket.write('NOOP\r\n', resolve));
    t.notOk(failure);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  client.end();
  t.strictSame(await program.ending, { status: 0, signal: null });
  t.strictSame(inbox.contents(), []);
});

t.test('10,000 RETR of 10 MiB that nobody reads take no memory', async (t) => {
  const { program, socket, client } = await start(t);
  await client.login('ann@example.org', 'open sesame');
  socket.pause();
  client.write('RETR 1\r\n'.repeat(10_000));
  await untilQuiet(program.pid);
  t.ok(peakMemory(program.pid) < 80 * mebibyte, `peak is ${peakMemory(program.pid)} octets`);
  client.destroy();
  await program.ending;
});
