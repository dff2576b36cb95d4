// Mail that a real Postfix delivers is there for pop3d at once, and byte for byte.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { poll } from '../support/suite/deadline.js';
import { startPostfix, unlessPostfix } from '../support/peers/postfix.js';
import { mailOwner, SharedMailstore } from '../support/mail/shared-mailstore.js';

const skip = unlessPostfix();

const message = [
  'From: a@example.net',
  'To: ann@example.org',
  'Message-ID: <1@example.net>',
  'Date: Sat, 21 Nov 2026 10:00:00 +0000',
  'Subject: Grüße',
  '',
  '.',
  '..',
  '.a line that starts with a dot',
  'Köln ☃',
  '',
  '.',
  '',
].join('\r\n');

t.test(
  'mail sent over SMTP is listed at the next login and read byte for byte',
  { skip },
  async (t) => {
    const store = SharedMailstore.make(t, 'ann', 'bob');
    const postfix = await startPostfix(t, {
      mailRoot: store.mailRoot,
      passdb: store.passdb,
      mailUser: mailOwner,
    });
    t.match(await postfix.send('ann@example.org', message), /^250 /);
    t.match(await postfix.send('Ann@Example.ORG', message), /^250 /);
    t.match(await postfix.send('nobody@example.org', ''), /^550 /);
    await poll('two messages are delivered', async () =>
      (await postfix.log()).match(/status=sent/g)?.length === 2 ? true : undefined,
    );

    const inbox = store.inbox('ann');
    const { client } = await store.openPop3('ann');
    const names = (await client.listing('UIDL')).map((line) => line.replace(/.* /, ''));
    t.strictSame(names.toSorted(), inbox.names('new'), 'the file names are the unique-ids');
    const listing = await client.listing('LIST');
    for (const [index, name] of names.entries()) {
      const stored = readFileSync(join(inbox.path, 'new', name)).toString('latin1');
      const received = await client.message(`RETR ${index + 1}`);
      t.equal(received.toString('latin1'), stored.replaceAll('\n', '\r\n'));
      t.ok(received.toString().endsWith(message), 'what was sent is the end of what is read');
      t.match(received.toString(), /^Delivered-To: ann@example\.org\r$/im);
      t.equal(listing[index], `${index + 1} ${received.length}`);
    }
    for (const number of [1, 2]) await client.ok(`DELE ${number}`);
    await client.ok('QUIT');
    t.strictSame(inbox.names('new'), []);

    const other = await store.openPop3('bob');
    t.equal(await other.client.command('STAT'), '+OK 0 0');
    await other.client.ok('QUIT');
  },
);

t.test('mail that arrives in a session is there in the next one', { skip }, async (t) => {
  const store = SharedMailstore.make(t, 'ann');
  store.inbox('ann');
  const postfix = await startPostfix(t, {
    mailRoot: store.mailRoot,
    passdb: store.passdb,
    mailUser: mailOwner,
  });
  const before = await store.openPop3('ann');
  t.equal(await before.client.command('STAT'), '+OK 0 0');
  t.match(await postfix.send('ann@example.org', message), /^250 /);
  await poll('the message is delivered', async () =>
    (await postfix.log()).includes('status=sent') ? true : undefined,
  );
  t.equal(await before.client.command('STAT'), '+OK 0 0');
  const after = await store.openPop3('ann');
  t.match(await after.client.command('STAT'), /^\+OK 1 /);
  await before.client.ok('QUIT');
  await after.client.ok('QUIT');
});
