// Unique-ids as a real courierpop3d gives them.

import { readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { expectProgram, unlessInstalled } from '../support/peers/debian.js';
import { makeInbox, type MaildirFixture } from '../support/mail/maildir-fixture.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { startCommand, startProgram } from '../support/programs/run-program.js';
import { idsBySubject } from '../support/mail/shared-mailstore.js';
import { WireClient } from '../support/sessions/wire-client.js';
import { testFolder } from '../support/suite/test-folder.js';

// The package cannot be installed beside other POP3 servers: .ci/run unpacks it.
const skip = unlessInstalled('courierpop3d');

/** Courier's server is started after the login, by a program that tells it the user. */
async function courierIds(t: Test, { path }: MaildirFixture): Promise<Record<string, string>> {
  const program = startCommand(t, expectProgram('courierpop3d'), [], {
    env: { AUTHENTICATED: 'ann', AUTHADDR: 'ann', TCPREMOTEIP: '127.0.0.1', MAILDIR: path },
  });
  const client = new WireClient(program.stdout, program.stdin);
  await client.status();
  return quitWithIds(client);
}

async function openPop3d(t: Test, mailRoot: string): Promise<WireClient> {
  const program = startProgram(t, 'pop3d', ['--uidl', 'courier'], { cwd: mailRoot });
  const client = new WireClient(program.stdout, program.stdin);
  await client.login('ann@example.org', 'open sesame');
  return client;
}

async function pop3dIds(t: Test, mailRoot: string): Promise<Record<string, string>> {
  return quitWithIds(await openPop3d(t, mailRoot));
}

async function quitWithIds(client: WireClient): Promise<Record<string, string>> {
  const ids = await idsBySubject(client);
  await client.ok('QUIT');
  return ids;
}

t.test('--uidl courier gives the ids that Courier gives', { skip }, async (t) => {
  const mailRoot = testFolder(t, {});
  makePasswordDatabase(join(mailRoot, 'passdb.sqlite'), { 'ann@example.org': 'open sesame' });
  const inbox = makeInbox(mailRoot, 'ann@example.org');
  for (const subject of ['one', 'two', 'three']) inbox.add(`Subject: ${subject}\n\nbody\n`);
  const first = await courierIds(t, inbox);
  t.match(first['one'], /^UID1-[0-9]+$/);
  t.match(readFileSync(join(inbox.path, 'courierpop3dsizelist'), 'latin1'), /^\/3 /);
  t.strictSame(await pop3dIds(t, mailRoot), first);

  const [, second = ''] = inbox.names('cur');
  inbox.remove('cur', second);
  const name = inbox.add('Subject: four\n\nbody\n');
  const { one, three } = first;
  t.strictSame(await pop3dIds(t, mailRoot), { one, three, four: name }, 'before Courier saw it');
  const later = await courierIds(t, inbox);
  t.strictSame({ ...later, four: undefined }, { one, three, four: undefined });
  t.strictSame(await pop3dIds(t, mailRoot), later, 'after Courier saw it');

  truncateSync(join(inbox.path, 'courierpop3dsizelist'));
  const client = await openPop3d(t, mailRoot);
  t.match(await client.command('UIDL'), /^-ERR \[SYS\/TEMP\] The maildrop cannot be read/);
  await client.ok('QUIT');
  const mended = await courierIds(t, inbox);
  t.strictSame(await pop3dIds(t, mailRoot), mended, 'after Courier mended its list');
});
