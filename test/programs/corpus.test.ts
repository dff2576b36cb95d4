// pop3d on 50 MB of awkward messages: what LIST announces is what RETR sends, and TOP cuts where it should.

import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { asSent, topAsSent } from '../support/mail/as-sent.js';
import { awkwardMessages } from '../support/mail/awkward-messages.js';
import { makeInbox } from '../support/mail/maildir-fixture.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { peakMemory, untilQuiet } from '../support/programs/process-state.js';
import { startProgram, type RunningProgram } from '../support/programs/run-program.js';
import { makeSocketPair } from '../support/sessions/socket-pair.js';
import { WireClient } from '../support/sessions/wire-client.js';
import { testFolder } from '../support/suite/test-folder.js';

const mebibyte = 1 << 20;

function makeMailRoot(t: Test): string {
  const mailRoot = testFolder(t, {});
  makePasswordDatabase(join(mailRoot, 'passdb.sqlite'), { 'ann@example.org': 'open sesame' });
  return mailRoot;
}

async function logIn(program: RunningProgram): Promise<WireClient> {
  const client = new WireClient(program.stdout, program.stdin);
  await client.login('ann@example.org', 'open sesame');
  return client;
}

t.test('every awkward message', async (t) => {
  const mailRoot = makeMailRoot(t);
  const inbox = makeInbox(mailRoot, 'ann@example.org');
  const corpus = awkwardMessages();
  for (const { stored } of corpus) inbox.add(stored);
  t.ok(corpus.length >= 40);
  t.ok(corpus.reduce((sum, { stored }) => sum + stored.length, 0) >= 50e6);
  const client = await logIn(startProgram(t, 'pop3d', [], { cwd: mailRoot }));

  const octets = (await client.listing('LIST')).map((line) => Number(line.split(' ')[1]));
  t.equal(octets.length, corpus.length);
  t.equal(
    await client.ok('STAT'),
    `+OK ${corpus.length} ${octets.reduce((sum, count) => sum + count, 0)}`,
  );
  for (const [index, { name, stored }] of corpus.entries()) {
    const number = index + 1;
    const retrieved = await client.message(`RETR ${number}`);
    t.equal(octets[index], retrieved.length, `LIST announces what RETR sends: ${name}`);
    t.match(await client.ok(`LIST ${number}`), `+OK ${number} ${retrieved.length}`, name);
    t.ok(retrieved.equals(asSent(stored)), `RETR sends the message: ${name}`);
    for (const lineCount of [0, 1, 7]) {
      const top = await client.message(`TOP ${number} ${lineCount}`);
      t.ok(top.equals(topAsSent(stored, lineCount)), `TOP with ${lineCount} lines: ${name}`);
    }
    const whole = await client.message(`TOP ${number} 99999999`);
    t.ok(whole.equals(retrieved), `TOP with 99999999 lines is RETR: ${name}`);
  }
  await client.ok('QUIT');
  t.equal(inbox.contents().length, corpus.length);
});

t.test('octets announced to a second session, from the cache, are the same', async (t) => {
  const mailRoot = makeMailRoot(t);
  const inbox = makeInbox(mailRoot, 'ann@example.org');
  for (const { stored } of awkwardMessages().filter(({ stored }) => stored.length < mebibyte)) {
    inbox.add(stored);
  }
  const listings = [];
  for (let session = 0; session < 2; session += 1) {
    const program = startProgram(t, 'pop3d', [], { cwd: mailRoot });
    const client = await logIn(program);
    listings.push(await client.listing('LIST'));
    await client.ok('QUIT');
    await program.ending;
  }
  t.strictSame(listings[1], listings[0]);
});

for (const connection of ['pipe', 'socket'] as const) {
  t.test(`a 200 MB message to a ${connection} nobody reads costs no memory`, async (t) => {
    const mailRoot = makeMailRoot(t);
    const inbox = makeInbox(mailRoot, 'ann@example.org');
    const name = inbox.add('Subject: large\n\n');
    const line = 'All work and no play makes for a large message.\n'.repeat(21_846);
    const path = join(inbox.path, 'new', name);
    for (let written = 0; written < 200 * mebibyte; written += line.length) {
      appendFileSync(path, line);
    }

    const pair = connection === 'socket' ? await makeSocketPair() : null;
    const program = startProgram(t, 'pop3d', [], {
      cwd: mailRoot,
      fds: pair === null ? [] : [pair.server, pair.server],
    });
    pair?.server.destroy();
    const input = pair?.client ?? program.stdout;
    const client = new WireClient(input, pair?.client ?? program.stdin);
    await client.login('ann@example.org', 'open sesame');
    await client.listing('LIST');
    client.write('RETR 1\r\n');
    await client.status();
    input.pause();
    await untilQuiet(program.pid);
    t.ok(peakMemory(program.pid) < 100 * mebibyte, `peak is ${peakMemory(program.pid)} octets`);
    client.destroy();
    await program.ending;
    t.match(program.stderr, /logout .*retr=0\//, 'a message that was not taken is not counted');
  });
}
