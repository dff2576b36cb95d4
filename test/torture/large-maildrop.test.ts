// A large maildrop in a kept worker: opened, measured and listed, it must not hold up the worker's other sessions. What they
// wait in milliseconds is for bench/large-maildrop.ts; here only whether they come in between.

import { linkSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { makeInbox } from '../support/mail/maildir-fixture.js';
import { startMailServer } from '../support/programs/mail-server.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { connectWireClient, type WireClient } from '../support/sessions/wire-client.js';

const messageCount = 20_000;
const password = 'secret';

/** Runs `work` in one session and NOOPs in another. @returns how many NOOPs were answered before the work was done */
async function noopsDuring(other: WireClient, work: Promise<unknown>): Promise<number> {
  let isDone = false;
  const finished = work.finally(() => (isDone = true));
  const goesOn = (): boolean => !isDone;
  let count = 0;
  while (goesOn()) {
    await other.ok('NOOP');
    count += 1;
  }
  await finished;
  return count;
}

t.test('other sessions of a worker are served while one opens a large maildrop', async (t) => {
  const mailRoot = mkdtempSync(join(tmpdir(), 'large-maildrop-'));
  t.teardown(() => rm(mailRoot, { recursive: true, force: true }));
  const maildir = makeInbox(mailRoot, 'ann@example.org');
  makeInbox(mailRoot, 'bob@example.org');
  const first = join(maildir.path, 'new', maildir.add('a: b\n\nx\n', { name: '1.M1P1.host' }));
  for (let serial = 2; serial <= messageCount; serial += 1) {
    linkSync(first, join(maildir.path, 'new', `${serial}.M1P1.host`));
  }
  const passdb = join(mailRoot, 'passdb.sqlite');
  makePasswordDatabase(passdb, { 'ann@example.org': password, 'bob@example.org': password });
  const { port, program } = await startMailServer(t, mailRoot, { args: ['--workers', '1'] });
  const [ann, bob] = [await connectWireClient(port), await connectWireClient(port)];
  await bob.login('bob@example.org', password);

  const whileOpened = await noopsDuring(bob, ann.login('ann@example.org', password));
  t.ok(whileOpened > 3, `${whileOpened} NOOPs while it was scanned`);
  const measured = ann.ok('STAT');
  const whileMeasured = await noopsDuring(bob, measured);
  t.equal(await measured, `+OK ${messageCount} ${messageCount * 11}`);
  t.ok(whileMeasured > 3, `${whileMeasured} NOOPs while it was measured`);
  const listed = ann.listing('UIDL');
  const whileListed = await noopsDuring(bob, listed);
  t.equal((await listed).at(-1), `${messageCount} ${messageCount}.M1P1.host`);
  t.ok(whileListed > 3, `${whileListed} NOOPs while it was listed`);

  for (const client of [ann, bob]) await client.ok('QUIT');
  t.equal([...program.stderr.matchAll(/^tcpsrun: worker pid=/gm)].length, 1, 'of one worker');
});
