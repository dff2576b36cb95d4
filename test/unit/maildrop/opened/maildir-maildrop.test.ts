// A maildrop on a real Maildir: octets, reading, removing, and entries that are no messages.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { MaildropRefused } from '../../../../src/maildrop/messages/maildrop-refused.js';
import { asSent } from '../../../support/mail/as-sent.js';
import { awkwardMessages } from '../../../support/mail/awkward-messages.js';
import { makeMaildir, OpenMaildrop } from '../../../support/mail/open-maildrop.js';

const isRoot = process.geteuid?.() === 0;

t.test('a user without INBOX has an empty maildrop, and nothing is made', async (t) => {
  const directory = t.testdir({});
  const { maildrop } = await OpenMaildrop.on(join(directory, 'example.org/ann/INBOX'));
  t.strictSame(maildrop.records, []);
  await maildrop.refresh();
  await maildrop.measureAll();
  await maildrop.assignUniqueIds();
  t.strictSame(await maildrop.update(), { removed: [], failures: [] });
  await maildrop.close();
  t.strictSame(readdirSync(directory), []);
});

t.test('octets are what RETR sends, for awkward messages too', async (t) => {
  const maildir = makeMaildir(t);
  const corpus = awkwardMessages().filter(({ stored }) => stored.length < 300_000);
  for (const { stored } of corpus) maildir.add(stored);
  const octets = await (await OpenMaildrop.on(maildir.path)).octets();
  for (const [index, { name, stored }] of corpus.entries()) {
    t.equal(octets[index + 1], asSent(stored).length, name);
  }
});

t.test('",W=" is believed, ",S=" is not, and a broken ",W=" is counted', async (t) => {
  const maildir = makeMaildir(t);
  for (const [index, sizes] of [',W=77', ',S=9999', ',S=1,W=5', ',W=-3', ',W=x', ''].entries()) {
    maildir.add('a: b\n\nx\n', { name: `${index}.M1P1.h${sizes}` });
  }
  const { octets } = { octets: await (await OpenMaildrop.on(maildir.path)).octets() };
  t.strictSame(octets, { 1: 77, 2: 11, 3: 5, 4: 11, 5: 11, 6: 11 });
});

t.test('entries that are no messages are skipped and cost nothing', async (t) => {
  const maildir = makeMaildir(t);
  for (const folder of ['new', 'cur'] as const) {
    const path = join(maildir.path, folder);
    mkdirSync(join(path, 'folder'));
    symlinkSync('/etc/passwd', join(path, 'to-file'));
    symlinkSync('nowhere', join(path, 'dangling'));
    symlinkSync('loop', join(path, 'loop'));
    symlinkSync('/dev/zero', join(path, 'to-device'));
    spawnSync('mkfifo', [join(path, 'fifo')]);
    writeFileSync(join(path, '.hidden'), 'x');
    maildir.add(`in ${folder}\n`, { folder });
  }
  const startMs = performance.now();
  const open = await OpenMaildrop.on(maildir.path);
  t.ok(performance.now() - startMs < 1000, 'nobody is waited for');
  t.equal(open.maildrop.records.length, 2);
  t.match(open.reported, [{ event: 'skipped', fields: { entries: 12, file: /^new\/[a-z-]+$/ } }]);
  t.equal(open.reported.length, 1);
  t.strictSame(Object.keys(await open.octets()), ['1', '2']);
  t.strictSame([await open.read(1), await open.read(2)], ['in new\n', 'in cur\n']);
});

t.test('absurd names are served: 255 bytes, line feed, not UTF-8, odd info', async (t) => {
  const maildir = makeMaildir(t);
  const names = [
    'x'.repeat(255),
    'a\nb',
    '\xff\xfe',
    '-rf',
    'sp ace',
    ':2,S',
    'b:2,ZZZ',
    'c:1,',
    '%0A',
  ];
  for (const name of names)
    maildir.add(Buffer.from(`file ${name}\n`, 'latin1'), { name, folder: 'cur' });
  const open = await OpenMaildrop.on(maildir.path);
  t.equal(open.maildrop.records.length, names.length);
  const contents = await Promise.all(names.map((_, index) => open.read(index + 1)));
  t.strictSame(contents.sort(), names.map((name) => `file ${name}\n`).sort());
  open.mark(...names.map((_, index) => index + 1));
  t.strictSame(await open.maildrop.update(), { removed: open.maildrop.records, failures: [] });
  t.strictSame(maildir.names('cur'), []);
});

t.test('a message that became a link or a FIFO after login is not read through', async (t) => {
  const maildir = makeMaildir(t);
  const names = [maildir.add('one\n'), maildir.add('two\n')];
  const open = await OpenMaildrop.on(maildir.path);
  for (const name of names) maildir.remove('new', name);
  symlinkSync('/etc/passwd', join(maildir.path, 'new', names[0] ?? ''));
  spawnSync('mkfifo', [join(maildir.path, 'new', names[1] ?? '')]);
  await t.rejects(open.read(1));
  await t.rejects(open.read(2));
  t.strictSame(await open.numbers(), [], 'they are gone');
});

t.test(
  'an unreadable message is listed, refused, and costs no other',
  { skip: isRoot && 'root reads everything: see programs/pop3d-permissions' },
  async (t) => {
    const maildir = makeMaildir(t);
    const name = maildir.add('secret\n');
    maildir.add('a: b\n\nx\n');
    chmodSync(join(maildir.path, 'new', name), 0);
    const open = await OpenMaildrop.on(maildir.path);
    t.strictSame(await open.octets(), { 1: 7, 2: 11 });
    await t.rejects(open.read(1), { code: 'EACCES' });
    t.equal(await open.read(2), 'a: b\n\nx\n');
  },
);

t.test('a sparse file of 5 GB has octets beyond 32 bits when its name tells them', async (t) => {
  const maildir = makeMaildir(t);
  const name = maildir.add('', { name: '1.M1P1.h,W=5368709122' });
  truncateSync(join(maildir.path, 'new', name), 5_368_709_120);
  t.strictSame(await (await OpenMaildrop.on(maildir.path)).octets(), { 1: 5_368_709_122 });
});

t.test('UPDATE removes what is marked, wherever it is by then', async (t) => {
  const maildir = makeMaildir(t);
  const names = [1, 2, 3, 4].map((number) => maildir.add(`${number}\n`));
  const open = await OpenMaildrop.on(maildir.path);
  open.mark(1, 2, 3);
  maildir.flag('new', names[0] ?? '', 'FS');
  maildir.remove('new', names[1] ?? '');
  const { records } = open.maildrop;
  t.strictSame(await open.maildrop.update(), { removed: [records[0], records[2]], failures: [] });
  t.strictSame(maildir.contents().map(String), ['4\n']);
});

t.test('UPDATE goes on after a failure and tells of it', async (t) => {
  const maildir = makeMaildir(t);
  const names = [1, 2, 3].map((number) => maildir.add(`${number}\n`));
  const open = await OpenMaildrop.on(maildir.path);
  open.mark(1, 2, 3);
  // unlink(2) of a directory fails for everybody.
  maildir.remove('new', names[1] ?? '');
  mkdirSync(join(maildir.path, 'new', names[1] ?? ''));
  const { removed, failures } = await open.maildrop.update();
  t.equal(removed.length, 2);
  t.strictSame(
    failures.map(({ record }) => open.maildrop.records.indexOf(record)),
    [1],
  );
  t.match(open.reported, [{ event: 'remove-failed' }]);
});

t.test('with the whole Maildir gone, no removal is claimed', async (t) => {
  const maildir = makeMaildir(t);
  maildir.add('1\n');
  const open = await OpenMaildrop.on(maildir.path);
  open.mark(1);
  rmSync(maildir.path, { recursive: true });
  t.equal((await open.maildrop.update()).failures.length, 1);
});

t.test('nothing is renamed or removed by reading, counting and closing', async (t) => {
  const maildir = makeMaildir(t);
  const names = [maildir.add('1\n'), maildir.add('2\n', { folder: 'cur' })];
  const open = await OpenMaildrop.on(maildir.path);
  await open.octets();
  await open.uniqueIds();
  await open.read(1);
  const [first] = open.maildrop.records;
  if (first !== undefined) open.maildrop.noteRetrieved(first);
  open.mark(2);
  await open.maildrop.close();
  t.strictSame([...maildir.names('new'), ...maildir.names('cur')], names);
  t.strictSame(maildir.names('tmp'), [], 'and no temporary file stays');
});

t.test('told to mark retrieved messages, UPDATE flags them as seen in cur', async (t) => {
  const maildir = makeMaildir(t);
  const names = [
    maildir.add('1\n'),
    maildir.add('2\n', { name: '1700000002.x:2,FT', folder: 'cur' }),
    maildir.add('3\n'),
    maildir.add('4\n'),
  ];
  const open = await OpenMaildrop.on(maildir.path, { marksSeen: true });
  for (const record of open.maildrop.records.slice(0, 3)) open.maildrop.noteRetrieved(record);
  open.mark(3);
  await open.maildrop.update();
  t.strictSame(maildir.names('new'), [names[3]]);
  t.strictSame(maildir.names('cur'), [`${names[0] ?? ''}:2,S`, '1700000002.x:2,FST'].sort());
});

t.test('a Maildir without new or cur is an error, never an empty maildrop', async (t) => {
  for (const folder of ['new', 'cur']) {
    const maildir = makeMaildir(t);
    rmSync(join(maildir.path, folder), { recursive: true });
    await t.rejects(OpenMaildrop.on(maildir.path), new RegExp(folder));
  }
});

t.test('an INBOX, or a folder of it, that is a link or a file is refused', async (t) => {
  const real = makeMaildir(t);
  const link = join(real.path, '..', 'link');
  symlinkSync('INBOX', link);
  t.ok((await refusalOf(link)) instanceof MaildropRefused);
  await t.rejects(OpenMaildrop.on(join(real.path, 'new', real.add('x'))), /not a directory/);
  rmSync(join(real.path, 'cur'), { recursive: true });
  symlinkSync('new', join(real.path, 'cur'));
  t.ok((await refusalOf(real.path)) instanceof MaildropRefused);
});

async function refusalOf(inbox: string): Promise<unknown> {
  return OpenMaildrop.on(inbox).catch((error: unknown) => error);
}
