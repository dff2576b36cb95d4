// A maildrop whose files a thread opens says and does what one without a thread does.

import { readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { CountingStopped } from '../../../../src/maildrop/messages/counting-stopped.js';
import type { Maildrop } from '../../../../src/maildrop/messages/maildrop.js';
import { MaildropRefused } from '../../../../src/maildrop/messages/maildrop-refused.js';
import { octetsIfKnown } from '../../../../src/maildrop/messages/octets.js';
import { UnservableMessage } from '../../../../src/maildrop/messages/unservable-message.js';
import {
  openPlace,
  type MaildropSettings,
  type MaildropUser,
} from '../../../../src/maildrop/opened/open-place.js';
import { MailThreads } from '../../../../src/maildrop/threads/mail-threads.js';
import { MaildirFixture } from '../../../support/mail/maildir-fixture.js';
import { makeMaildir } from '../../../support/mail/open-maildrop.js';
import { testFolder } from '../../../support/suite/test-folder.js';

type Reports = Parameters<MaildropUser['report']>[];

function settingsFor(path: string): MaildropSettings {
  const inbox = Buffer.from(path).toString('latin1');
  const place = { path: inbox, own: inbox, root: '/' };
  return { place, uniqueIds: 'filename', uniqueIdLists: [], days: null, marksSeen: false };
}

const takeNoRights = (): void => undefined;

function openInThread(path: string, user: Partial<MaildropUser> = {}): Promise<Maildrop> {
  const { report = () => undefined, shouldStop = () => false } = user;
  const threads = new MailThreads('many');
  return threads.open(settingsFor(path), { report, shouldStop }, takeNoRights);
}

/** Both ways, and what they report. */
async function openBoth(path: string) {
  const reported: [Reports, Reports] = [[], []];
  const [direct, threaded] = reported.map((reports): MaildropUser => ({
    report: (...given) => void reports.push(given),
    shouldStop: () => false,
  })) as [MaildropUser, MaildropUser];
  const maildrops = [
    await openPlace(settingsFor(path), direct, undefined),
    await openInThread(path, threaded),
  ] as const;
  return { maildrops, reported };
}

async function readAll(maildrop: Maildrop, index: number): Promise<string | null> {
  const record = maildrop.records[index];
  if (record === undefined) throw new RangeError(`no message ${index + 1}`);
  const message = await maildrop.open(record);
  if (message === null) return null;
  const pieces: Buffer[] = [];
  for (let length = 1; length > 0;) {
    await message.makeReady?.(100_000);
    const buffer = Buffer.alloc(100_000);
    length = message.read(buffer);
    pieces.push(buffer.subarray(0, length));
  }
  message.close();
  return Buffer.concat(pieces).toString('latin1');
}

t.test('octets, unique-ids and messages are those of a maildrop without a thread', async (t) => {
  const inbox = makeMaildir(t);
  const long = 'line of a long message\n'.repeat(60_000);
  for (const text of ['one\n', '', long]) inbox.add(text);
  writeFileSync(join(inbox.path, 'cur', '1700000001.packed:2,'), gzipSync(`a: b\n\n${long}`));
  symlinkSync('/etc/passwd', join(inbox.path, 'new', 'link'));
  const { maildrops, reported } = await openBoth(inbox.path);
  const [direct, threaded] = await Promise.all(
    maildrops.map(async (maildrop) => {
      await maildrop.refresh();
      await maildrop.measureAll();
      await maildrop.assignUniqueIds();
      const listed = maildrop.records.map((record) => ({
        name: maildrop.nameOf(record),
        octets: octetsIfKnown(record.octets),
        uniqueId: record.uniqueId,
      }));
      const texts = [];
      for (const index of maildrop.records.keys()) texts.push(await readAll(maildrop, index));
      const [, , third] = maildrop.records;
      const announced =
        third === undefined ? 0 : await maildrop.measureForSending(third, long.length);
      await maildrop.close();
      return { listed, texts, announced };
    }),
  );
  t.strictSame(threaded, direct);
  t.equal(threaded?.listed.length, 4);
  t.ok(threaded?.texts.includes(`a: b\n\n${long}`));
  t.strictSame(reported[1], reported[0]);
  t.equal(reported[1].length, 1, 'the link');
});

t.test('what is marked is removed, what others removed is gone, and nothing else', async (t) => {
  const inbox = makeMaildir(t);
  const names = ['one\n', 'two\n', 'three\n', 'four\n'].map((text) => inbox.add(text));
  const maildrop = await openInThread(inbox.path);
  const [first, second, third, fourth] = maildrop.records;
  if (!first || !second || !third || !fourth) throw new Error('four messages were added');
  first.status = 'marked';
  second.status = 'marked';
  inbox.remove('new', names[1] ?? '');
  inbox.remove('new', names[2] ?? '');
  const statuses = (): readonly string[] => maildrop.records.map(({ status }) => status);
  t.equal(maildrop.refresh(), undefined, 'within a second no look is worth while');
  t.strictSame(statuses(), ['marked', 'marked', 'present', 'present']);
  await delay(1000);
  await maildrop.refresh();
  t.strictSame(statuses(), ['marked', 'gone', 'gone', 'present']);
  t.equal(await maildrop.open(third), null);
  const { removed, failures } = await maildrop.update();
  t.equal(removed.length, 1);
  t.equal(removed[0], first, 'the record that the session knows');
  t.equal(first.status, 'gone');
  t.strictSame(failures, []);
  t.strictSame(inbox.names('new'), names.slice(3));
  await maildrop.close();
});

t.test('a mark that was taken back removes nothing', async (t) => {
  const inbox = makeMaildir(t);
  inbox.add('one\n');
  const maildrop = await openInThread(inbox.path);
  const [first] = maildrop.records;
  if (first === undefined) throw new Error('a message was added');
  first.status = 'marked';
  await maildrop.refresh();
  first.status = 'present';
  t.strictSame(await maildrop.update(), { removed: [], failures: [] });
  t.equal(inbox.names('new').length, 1);
  await maildrop.close();
});

t.test('octets that RETR counted are remembered', async (t) => {
  const inbox = makeMaildir(t);
  inbox.add('one\n', { name: '1700000000.a,W=99' });
  const reports: Reports = [];
  const maildrop = await openInThread(inbox.path, { report: (...given) => reports.push(given) });
  const [first] = maildrop.records;
  if (first === undefined) throw new Error('a message was added');
  maildrop.correctOctets(first, 7);
  t.equal(octetsIfKnown(first.octets), 7);
  await maildrop.close();
  t.match(readFileSync(join(inbox.path, 'pop3d.octets'), 'latin1'), /7/);
  t.match(reports, [['octets-corrected', { believed: 99, octets: 7 }]]);
});

t.test('errors are those that the session tells apart', async (t) => {
  const inbox = makeMaildir(t);
  const refused = `${inbox.path}-link`;
  symlinkSync(inbox.path, refused);
  const error: unknown = await openInThread(refused).catch((reason: unknown) => reason);
  t.ok(error instanceof MaildropRefused);
  writeFileSync(join(inbox.path, 'cur', '1700000001.a:2,'), Buffer.from('CRYPTED\x03\x07'));
  const maildrop = await openInThread(inbox.path);
  const [first] = maildrop.records;
  if (first === undefined) throw new Error('a message was added');
  await t.rejects(Promise.resolve(maildrop.requireServable(first)), UnservableMessage);
  rmSync(inbox.path, { recursive: true });
  await delay(1000);
  await t.rejects(Promise.resolve(maildrop.refresh()), { code: 'ENOENT' });
  await maildrop.close();
});

t.test('where nobody waits any more, counting ends', async (t) => {
  const inbox = makeMaildir(t);
  // Without blocks on the disk, and minutes of work.
  truncateSync(join(inbox.path, 'new', inbox.add('')), 2 ** 38);
  const maildrop = await openInThread(inbox.path, { shouldStop: () => true });
  await t.rejects(Promise.resolve(maildrop.measureAll()), CountingStopped);
  await maildrop.close();
});

t.test('maildrops that are open at once in a thread do not know of each other', async (t) => {
  const folder = testFolder(t, {});
  const [one, other] = [new MaildirFixture(`${folder}/1`), new MaildirFixture(`${folder}/2`)];
  one.add('one\n');
  other.add('other\n');
  other.add('another\n');
  const threads = new MailThreads('one');
  const user: MaildropUser = { report: () => undefined, shouldStop: () => false };
  const opened = await Promise.all(
    [one, other, one, other].map(({ path }) => threads.open(settingsFor(path), user, takeNoRights)),
  );
  t.strictSame(
    opened.map(({ records }) => records.length),
    [1, 2, 1, 2],
  );
  const texts = await Promise.all(opened.map((maildrop) => readAll(maildrop, 0)));
  t.strictSame(texts, ['one\n', 'other\n', 'one\n', 'other\n']);
  await Promise.all(opened.map((maildrop) => maildrop.close()));
});
