import { mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openMaildirMaildrop } from '../../../../src/maildrop/opened/maildir-maildrop.js';
import { MaildirStamps } from '../../../../src/maildrop/view/maildir-stamps.js';
import type {
  MaildirMessage,
  MaildirSnapshot,
} from '../../../../src/maildrop/view/message-list.js';
import type { Maildrop } from '../../../../src/maildrop/messages/maildrop.js';
import type { Report } from '../../../../src/maildrop/octets/message-octets.js';
import {
  createRecentMaildrops,
  type RecentMaildrops,
} from '../../../../src/maildrop/view/recent-maildrops.js';
import { poll } from '../../../support/suite/deadline.js';
import { MaildirFixture } from '../../../support/mail/maildir-fixture.js';

const none = { count: 0, example: '' };

function snapshotOf(count: number): MaildirSnapshot {
  const messages = Array.from({ length: count }, () => ({}) as MaildirMessage);
  return { stamps: MaildirStamps.of('nowhere'), messages, skipped: none, hidden: none };
}

t.test('the longest unused maildrops are forgotten first', (t) => {
  const recent = createRecentMaildrops(100);
  for (const inbox of ['a', 'b', 'c']) recent.set(inbox, snapshotOf(26));
  recent.get('a');
  recent.set('d', snapshotOf(26));
  t.notOk(recent.has('b'));
  for (const inbox of ['a', 'c', 'd']) t.ok(recent.has(inbox), inbox);
  t.end();
});

t.test('a maildrop that is too large is not kept, and one that is kept anew counts once', (t) => {
  const recent = createRecentMaildrops(100);
  recent.set('large', snapshotOf(101));
  t.notOk(recent.has('large'));
  for (let count = 0; count < 1000; count += 1) recent.set('same', snapshotOf(50));
  t.ok(recent.has('same'), 'a maildrop that is kept anew counts once');
  t.end();
});

/** An INBOX whose directories changed long ago, so that its stamps can be relied upon. */
async function settledInbox(t: Test): Promise<MaildirFixture> {
  const inbox = new MaildirFixture(t.testdir({}));
  inbox.add('Subject: one\n\n1\n');
  inbox.add('Subject: two\n\n22\n');
  await settle(inbox);
  return inbox;
}

async function settle({ path }: MaildirFixture): Promise<void> {
  const stamps = MaildirStamps.of(path);
  await poll('the stamps settle', () => Promise.resolve(stamps.haveChanged() ? undefined : true));
}

async function open(
  inbox: MaildirFixture,
  recent: RecentMaildrops,
  report: Report = () => undefined,
): Promise<Maildrop> {
  return openMaildirMaildrop(inbox.path, { marksSeen: false, recent, report });
}

async function visit(maildrop: Maildrop): Promise<unknown[]> {
  await maildrop.refresh();
  await maildrop.measureAll();
  await maildrop.assignUniqueIds();
  const seen = maildrop.records
    .filter(({ status }) => status === 'present')
    .map(({ octets, uniqueId }) => ({ octets, uniqueId }));
  await maildrop.close();
  return seen;
}

t.test('a second session on an unchanged maildrop finds the same without looking', async (t) => {
  const recent = createRecentMaildrops();
  const inbox = await settledInbox(t);
  const first = await visit(await open(inbox, recent));
  t.ok(recent.has(inbox.path));
  const again = await open(inbox, recent);
  t.strictSame(
    again.records.map(({ octets }) => octets),
    [19, 20],
    'octets are known when it is opened',
  );
  t.strictSame(await visit(again), first);
});

t.test('each session is told once of what is no message, looked for or not', async (t) => {
  const recent = createRecentMaildrops();
  const inbox = await settledInbox(t);
  mkdirSync(join(inbox.path, 'new', 'a\nb'));
  await settle(inbox);
  for (let session = 0; session < 3; session += 1) {
    const told: unknown[] = [];
    const maildrop = await open(inbox, recent, (...what) => told.push(what));
    await visit(maildrop);
    t.strictSame(told, [['skipped', { entries: 1, file: 'new/a\nb' }]], `session ${session}`);
  }
});

t.test('what one session marks, no other finds marked', async (t) => {
  const recent = createRecentMaildrops();
  const inbox = await settledInbox(t);
  const marking = await open(inbox, recent);
  for (const record of marking.records) record.status = 'marked';
  await marking.close();
  t.equal((await visit(await open(inbox, recent))).length, 2);
});

t.test('whatever changes a directory is seen by the next session', async (t) => {
  const recent = createRecentMaildrops();
  const inbox = await settledInbox(t);
  const changes: [what: string, change: () => unknown, count: number][] = [
    ['a delivery', () => inbox.add('Subject: three\n\n3\n'), 3],
    ['a rename', () => inbox.flag('new', inbox.names('new')[0] ?? '', 'S'), 3],
    ['a removal', () => inbox.remove('cur', inbox.names('cur')[0] ?? ''), 2],
    ['a delivery with the old time put back', () => deliverSecretly(inbox), 3],
  ];
  for (const [what, change, count] of changes) {
    await settle(inbox);
    await visit(await open(inbox, recent));
    change();
    t.equal((await visit(await open(inbox, recent))).length, count, what);
  }
});

t.test('a Maildir in the place of another is another', async (t) => {
  const recent = createRecentMaildrops();
  const folder = t.testdir({});
  const path = join(folder, 'INBOX');
  const inbox = new MaildirFixture(path);
  inbox.add('Subject: one\n\n1\n');
  await settle(inbox);
  await visit(await open(inbox, recent));
  renameSync(path, join(folder, 'old'));
  const other = new MaildirFixture(path);
  t.equal((await visit(await open(other, recent))).length, 0);
});

function deliverSecretly({ path }: MaildirFixture): void {
  const past = new Date(1_700_000_000_000);
  writeFileSync(join(path, 'new', '1800000000.M1P1.host'), 'Subject: four\n\n4\n');
  utimesSync(join(path, 'new'), past, past);
}
