// pop3d and a real Dovecot on the same Maildirs at the same time: both are right, and Dovecot has nothing to complain of.

import { cpSync, readFileSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startDovecot, unlessDovecot, type Dovecot } from '../support/peers/dovecot.js';
import { ImapClient } from '../support/peers/imap-client.js';
import {
  idsBySubject,
  mailOwner,
  password,
  SharedMailstore,
} from '../support/mail/shared-mailstore.js';
import { connectWireClient, type WireClient } from '../support/sessions/wire-client.js';

const skip = unlessDovecot();

function message(subject: string): string {
  return `From: a@example.net\nSubject: ${subject}\n\n.body of ${subject}\n`;
}

function sent(subject: string): string {
  return message(subject).replaceAll('\n', '\r\n');
}

interface Shared {
  readonly store: SharedMailstore;
  readonly dovecot: Dovecot;
}

async function share(t: Test, ...users: readonly string[]): Promise<Shared> {
  return shareWith(t, '', ...users);
}

async function shareWith(t: Test, settings: string, ...users: readonly string[]): Promise<Shared> {
  const store = SharedMailstore.make(t, ...users);
  const dovecot = await startDovecot(t, {
    mailRoot: store.mailRoot,
    passdb: store.passdb,
    mailUser: mailOwner,
    settings,
  });
  return { store, dovecot };
}

async function openDovecotPop3({ dovecot }: Shared, user: string): Promise<WireClient> {
  const client = await connectWireClient(dovecot.pop3Port);
  await client.login(`${user}@example.org`, password);
  return client;
}

async function openImap({ dovecot }: Shared, user: string): Promise<ImapClient> {
  return ImapClient.open(dovecot.imapPort, `${user}@example.org`, password);
}

/** Dovecot logs these words only when something is wrong. */
async function complaints({ dovecot }: Shared): Promise<string[]> {
  return (await dovecot.log())
    .split('\n')
    .filter((line) => /Error|Warning|Panic|Fatal|corrupt/i.test(line));
}

async function pop3dIds({ store }: Shared, user: string): Promise<Record<string, string>> {
  const { client } = await store.openPop3(user, '--uidl', 'dovecot');
  const ids = await idsBySubject(client);
  await client.ok('QUIT');
  return ids;
}

async function dovecotIds(shared: Shared, user: string): Promise<Record<string, string>> {
  const client = await openDovecotPop3(shared, user);
  const ids = await idsBySubject(client);
  await client.ok('QUIT');
  return ids;
}

t.test('--uidl dovecot gives the ids that Dovecot gives', { skip }, async (t) => {
  const shared = await share(t, 'ann', 'bob');
  const inbox = shared.store.inbox('ann');
  for (const subject of ['one', 'two', 'three']) inbox.add(message(subject));
  shared.store.giveAway();

  const first = await dovecotIds(shared, 'ann');
  t.strictSame(await pop3dIds(shared, 'ann'), first);
  t.match(first['one'], /^[0-9a-f]{16}$/);

  const imap = await openImap(shared, 'ann');
  await imap.command('STORE 2 +FLAGS (\\Deleted)');
  await imap.command('EXPUNGE');
  await imap.append(Buffer.from(sent('four')));
  await imap.logout();
  const later = await dovecotIds(shared, 'ann');
  t.strictSame(Object.keys(later).sort(), ['four', 'one', 'three']);
  t.equal(later['one'], first['one']);
  t.strictSame(await pop3dIds(shared, 'ann'), later, 'after an expunge and an APPEND');

  cpSync(shared.store.inboxPath('ann'), shared.store.inboxPath('bob'), { recursive: true });
  shared.store.giveAway();
  t.strictSame(
    await pop3dIds(shared, 'bob'),
    later,
    'in a copy of the Maildir, as on another machine',
  );
  t.strictSame(await dovecotIds(shared, 'bob'), later);
  t.strictSame(await complaints(shared), []);
});

t.test('an emptied dovecot-uidlist fails UIDL until Dovecot has mended it', { skip }, async (t) => {
  const shared = await share(t, 'ann');
  shared.store.inbox('ann').add(message('one'));
  shared.store.giveAway();
  await dovecotIds(shared, 'ann');

  truncateSync(join(shared.store.inboxPath('ann'), 'dovecot-uidlist'));
  const { client } = await shared.store.openPop3('ann', '--uidl', 'dovecot');
  for (const command of ['UIDL', 'UIDL 1']) {
    t.match(await client.command(command), /^-ERR \[SYS\/TEMP\] The maildrop cannot be read/);
  }
  await client.ok('LIST 1');
  await client.ok('QUIT');
  const mended = await dovecotIds(shared, 'ann');
  t.strictSame(await pop3dIds(shared, 'ann'), mended);
});

t.test(
  'a message that Dovecot has not seen gets an id that Dovecot gives to none',
  { skip },
  async (t) => {
    const shared = await share(t, 'ann');
    const inbox = shared.store.inbox('ann');
    inbox.add(message('known'));
    shared.store.giveAway();
    const known = (await dovecotIds(shared, 'ann'))['known'];

    const name = inbox.add(message('new'));
    const absurd = inbox.add(message('looks like an id'), { name: '00000002663d4f00' });
    shared.store.giveAway();
    const { client, program } = await shared.store.openPop3('ann', '--uidl', 'dovecot');
    const ids = await idsBySubject(client);
    t.equal(ids['known'], known);
    t.equal(ids['new'], name);
    t.match(ids['looks like an id'], /^[-\w]{43}$/);
    t.not(ids['looks like an id'], absurd);
    await program.logLine(/unique-ids-made-up .*count=2/);
    await client.ok('QUIT');

    t.strictSame(await pop3dIds(shared, 'ann'), {
      ...ids,
      known,
    });
    const afterwards = await dovecotIds(shared, 'ann');
    t.equal(
      new Set([...Object.values(afterwards), ...Object.values(ids)]).size,
      5,
      'no id is given twice',
    );
    t.strictSame(await pop3dIds(shared, 'ann'), afterwards, 'once Dovecot has seen it');
  },
);

t.test(
  'a session stays as it is while an IMAP client flags, moves and expunges',
  { skip },
  async (t) => {
    const shared = await share(t, 'ann');
    const inbox = shared.store.inbox('ann');
    const subjects = ['one', 'two', 'three', 'four', 'five'];
    for (const subject of subjects) inbox.add(message(subject));
    shared.store.giveAway();
    const { client } = await shared.store.openPop3('ann');
    const octets = sent('one').length;
    const listed = subjects.map((subject, index) => `${index + 1} ${sent(subject).length}`);
    t.strictSame(await client.listing('LIST'), listed);
    const ids = await client.listing('UIDL');

    const imap = await openImap(shared, 'ann');
    const uids = await imap.uids();
    t.strictSame(inbox.names('new'), [], 'Dovecot moved all mail from new to cur');
    t.strictSame(await client.listing('LIST'), listed);
    t.strictSame(await client.listing('UIDL'), ids);
    await imap.command('STORE 1 +FLAGS (\\Flagged \\Answered)');
    t.equal(
      (await client.message('RETR 1')).toString(),
      sent('one'),
      'a renamed message is followed',
    );

    await client.ok('DELE 4');
    await imap.command('STORE 2,5 +FLAGS (\\Deleted)');
    await imap.command('EXPUNGE');
    t.match(await client.command('RETR 2'), /^-ERR/);
    t.match(await client.command('DELE 5'), /^-ERR/);
    t.match(await client.command('LIST 2'), /^-ERR/);
    t.equal(await client.command('STAT'), `+OK 2 ${octets + sent('three').length}`);
    t.strictSame(await client.listing('UIDL'), [ids[0], ids[2]]);
    await client.ok('RSET');
    t.strictSame(await client.listing('LIST'), [listed[0], listed[2], listed[3]]);

    await imap.command('STORE 2 +FLAGS (\\Seen)');
    await client.ok('DELE 3');
    t.match(await client.command('QUIT'), /^\+OK/);
    t.strictSame(await imap.uids(), [uids[0], uids[3]], 'no message got a new UID');
    await imap.logout();
    t.strictSame(await complaints(shared), []);
  },
);

t.test('what pop3d removes is expunged for an IMAP session that is open', { skip }, async (t) => {
  const shared = await share(t, 'ann');
  const inbox = shared.store.inbox('ann');
  for (const subject of ['one', 'two', 'three']) inbox.add(message(subject));
  shared.store.giveAway();
  const imap = await openImap(shared, 'ann');
  const [first, , third] = await imap.uids();
  const { client } = await shared.store.openPop3('ann');
  await client.ok('DELE 2');
  await client.ok('QUIT');
  t.strictSame(await imap.uids(), [first, third]);
  await imap.logout();
  t.strictSame(await complaints(shared), []);
});

t.test(
  'pop3d renames nothing, and with --mark-seen only what it sent whole',
  { skip },
  async (t) => {
    const shared = await share(t, 'ann');
    const inbox = shared.store.inbox('ann');
    for (const subject of ['one', 'two', 'three']) inbox.add(message(subject));
    shared.store.giveAway();
    const names = inbox.names('new');

    const plain = (await shared.store.openPop3('ann')).client;
    await plain.message('RETR 1');
    await plain.ok('QUIT');
    t.strictSame(inbox.names('new'), names);

    const imap = await openImap(shared, 'ann');
    const uids = await imap.uids();
    const unfinished = (await shared.store.openPop3('ann', '--mark-seen')).client;
    await unfinished.message('RETR 3');
    unfinished.destroy();
    const marking = (await shared.store.openPop3('ann', '--mark-seen')).client;
    await marking.message('RETR 1');
    await marking.message('TOP 2 10');
    await marking.ok('QUIT');
    t.strictSame(await imap.uids(), uids);
    t.match(await imap.command('SEARCH SEEN'), ['* SEARCH 1']);
    await imap.logout();
    t.strictSame(await complaints(shared), []);
  },
);

t.test('ids stay right while Dovecot rewrites its list', { skip }, async (t) => {
  const shared = await share(t, 'ann');
  const inbox = shared.store.inbox('ann');
  for (let count = 0; count < 50; count += 1) inbox.add(message(`lasting ${count}`));
  shared.store.giveAway();
  const lasting = Object.values(await dovecotIds(shared, 'ann'));
  const imap = await openImap(shared, 'ann');
  const stop = new AbortController();
  const rewriting = (async () => {
    while (!stop.signal.aborted) {
      await imap.append(Buffer.from(sent('passing')));
      await imap.command('STORE 51:* +FLAGS (\\Deleted)');
      await imap.command('EXPUNGE');
    }
  })();
  try {
    for (let round = 0; round < 4; round += 1) {
      const { client } = await shared.store.openPop3('ann', '--uidl', 'dovecot');
      const listed = (await client.listing('UIDL')).map((line) => line.replace(/.* /, ''));
      t.strictSame(listed.slice(0, 50), lasting);
      await client.ok('QUIT');
    }
  } finally {
    stop.abort();
  }
  await rewriting;
  await imap.logout();
  t.strictSame(await complaints(shared), []);
});

t.test(
  'without the list ids are made up; one that cannot be understood fails UIDL',
  { skip },
  async (t) => {
    const shared = await share(t, 'ann');
    const inbox = shared.store.inbox('ann');
    const name = inbox.add(message('one'));
    shared.store.giveAway();
    await dovecotIds(shared, 'ann');
    const list = join(shared.store.inboxPath('ann'), 'dovecot-uidlist');
    t.match(readFileSync(list, 'latin1'), /^3 V/);
    unlinkSync(list);
    t.strictSame(await pop3dIds(shared, 'ann'), { one: name });
    writeFileSync(list, 'written by another program\n');
    const { client } = await shared.store.openPop3('ann', '--uidl', 'dovecot');
    t.match(await client.command('UIDL'), /^-ERR \[SYS\/TEMP\]/);
    t.equal((await client.message('RETR 1')).toString(), sent('one'));
  },
);

t.test(
  'users can move to a Dovecot that is told to take file names for ids',
  { skip },
  async (t) => {
    const shared = await shareWith(t, 'pop3_uidl_format = %f', 'ann');
    const inbox = shared.store.inbox('ann');
    for (const subject of ['one', 'two']) inbox.add(message(subject));
    shared.store.giveAway();
    const { client } = await shared.store.openPop3('ann');
    const ids = await idsBySubject(client);
    await client.ok('QUIT');
    t.strictSame(await dovecotIds(shared, 'ann'), ids);
  },
);
