// The live view: what other programs do to a Maildir while a session is open.

import { linkSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { makeMaildir, OpenMaildrop } from '../../../support/mail/open-maildrop.js';

t.test('messages are numbered in the order of delivery, in new and cur alike', async (t) => {
  const maildir = makeMaildir(t);
  const inOrder = [
    ['9.M1P1.h', 'cur'],
    ['10.M2P1.h', 'new'],
    ['10.M10P1.h:2,S', 'cur'],
    ['10.M10P2.h', 'new'],
    ['1700000000.M5P9.h', 'cur'],
    ['1700000000.M5P9.i', 'new'],
    ['4102444800.M1P1.h', 'cur'],
    ['no-time', 'new'],
    ['other', 'cur'],
  ] as const;
  for (const [name, folder] of [...inOrder].reverse()) maildir.add(name, { name, folder });
  const open = await OpenMaildrop.on(maildir.path);
  const contents = [];
  for (let number = 1; number <= inOrder.length; number += 1)
    contents.push(await open.read(number));
  t.strictSame(
    contents,
    inOrder.map(([name]) => name),
  );
});

t.test('a message that is flagged, or moved to cur, is followed', async (t) => {
  const maildir = makeMaildir(t);
  const name = maildir.add('one\n');
  maildir.add('two\n');
  const open = await OpenMaildrop.on(maildir.path);
  let present = maildir.flag('new', name, '');
  t.equal(await open.read(1), 'one\n');
  for (const flags of ['S', 'FS', 'FRST', '']) {
    present = maildir.flag('cur', present, flags);
    t.strictSame(await open.numbers(), [1, 2]);
    t.equal(await open.read(1), 'one\n', `as ${present}`);
  }
});

t.test('an id survives flags, the move to cur, and sizes that are added to the name', async (t) => {
  const maildir = makeMaildir(t);
  const name = maildir.add('x\n');
  const before = await (await OpenMaildrop.on(maildir.path)).uniqueIds();
  const flagged = maildir.flag('new', name, 'FS');
  t.strictSame(await (await OpenMaildrop.on(maildir.path)).uniqueIds(), before);
  maildir.remove('cur', flagged);
  maildir.add('x\n', { name: `${name},S=2,W=3:2,FS`, folder: 'cur' });
  t.strictSame(await (await OpenMaildrop.on(maildir.path)).uniqueIds(), before);
});

t.test('a message that was removed is gone, the others keep their numbers', async (t) => {
  const maildir = makeMaildir(t);
  const names = [1, 2, 3].map((number) => maildir.add(`a: b\n\n${number}\n`));
  const open = await OpenMaildrop.on(maildir.path);
  maildir.remove('new', names[1] ?? '');
  t.strictSame(await open.octets(), { 1: 11, 3: 11 });
  t.strictSame(Object.keys(await open.uniqueIds()), ['1', '3']);
  t.equal(await open.read(2), null);
  t.equal(open.maildrop.records[1]?.status, 'gone');
});

t.test('a message that is removed without a refresh is gone when it is opened', async (t) => {
  const maildir = makeMaildir(t);
  const name = maildir.add('one\n');
  const open = await OpenMaildrop.on(maildir.path);
  maildir.remove('new', name);
  t.equal(await open.read(1), null);
});

t.test('a marked message that others remove is gone, not merely marked', async (t) => {
  const maildir = makeMaildir(t);
  const name = maildir.add('one\n');
  const open = await OpenMaildrop.on(maildir.path);
  open.mark(1);
  maildir.remove('new', name);
  await open.maildrop.refresh();
  t.equal(open.maildrop.records[0]?.status, 'gone', 'so that RSET does not bring it back');
});

t.test('a message that comes back after it was gone stays gone for this session', async (t) => {
  const maildir = makeMaildir(t);
  const name = maildir.add('one\n');
  const open = await OpenMaildrop.on(maildir.path);
  maildir.remove('new', name);
  t.strictSame(await open.numbers(), []);
  maildir.add('one\n', { name });
  t.strictSame(await open.numbers(), []);
  t.strictSame(await (await OpenMaildrop.on(maildir.path)).numbers(), [1]);
});

t.test('mail that arrives during a session is not seen in it', async (t) => {
  const maildir = makeMaildir(t);
  maildir.add('one\n');
  const open = await OpenMaildrop.on(maildir.path);
  maildir.add('earlier\n', { name: '1.M1P1.h' });
  maildir.add('later\n');
  t.strictSame(await open.numbers(), [1]);
  t.equal(await open.read(1), 'one\n');
  t.strictSame(await (await OpenMaildrop.on(maildir.path)).numbers(), [1, 2, 3]);
});

t.test(
  'the same base name in new and cur is one message, the other file is named, and neither is lost by looking',
  async (t) => {
    const maildir = makeMaildir(t);
    maildir.add('in new\n', { name: '1.x' });
    maildir.add('in cur\n', { name: '1.x:2,S', folder: 'cur' });
    const open = await OpenMaildrop.on(maildir.path);
    t.strictSame(await open.numbers(), [1]);
    t.strictSame(open.reported, [{ event: 'hidden', fields: { entries: 1, file: 'new/1.x' } }]);
    await open.maildrop.close();
    t.equal(maildir.contents().length, 2);
  },
);

t.test('a second link to the same file hides nothing', async (t) => {
  const maildir = makeMaildir(t);
  maildir.add('one\n', { name: '1.x' });
  linkSync(join(maildir.path, 'new', '1.x'), join(maildir.path, 'cur', '1.x:2,S'));
  t.strictSame((await OpenMaildrop.on(maildir.path)).reported, []);
});

t.test('names that differ only behind a colon are messages of their own', async (t) => {
  const maildir = makeMaildir(t);
  const names = ['2024-01-15T10:30:01.eml', '2024-01-15T10:30:02.eml', '2024-01-15T10:31:01.eml'];
  for (const name of names) maildir.add(`${name}\n`, { name });
  const open = await OpenMaildrop.on(maildir.path);
  t.strictSame(await open.uniqueIds(), { 1: names[0], 2: names[1], 3: names[2] });
  renameSync(
    join(maildir.path, 'new', names[1] ?? ''),
    join(maildir.path, 'cur', `${names[1]}:2,S`),
  );
  t.equal(await open.read(2), `${names[1]}\n`);
  open.mark(1);
  await open.maildrop.update();
  t.strictSame(maildir.contents().length, 2);
});

t.test('of two files with one base name UPDATE removes the one that was shown', async (t) => {
  const maildir = makeMaildir(t);
  maildir.add('in new\n', { name: '1.x' });
  maildir.add('in cur\n', { name: '1.x:2,S', folder: 'cur' });
  for (const left of [1, 0]) {
    const open = await OpenMaildrop.on(maildir.path);
    const shown = await open.read(1);
    const before = maildir.contents().map(String);
    open.mark(1);
    t.equal((await open.maildrop.update()).removed.length, 1);
    await open.maildrop.close();
    t.strictSame(
      maildir.contents().map(String),
      before.filter((content) => content !== shown),
      'the other one is as it was, and the next session has it',
    );
    t.equal(maildir.contents().length, left);
  }
});

t.test('a directory that goes away is an error at the next look, not an empty list', async (t) => {
  const maildir = makeMaildir(t);
  maildir.add('one\n');
  const open = await OpenMaildrop.on(maildir.path);
  rmSync(join(maildir.path, 'cur'), { recursive: true });
  await t.rejects(open.numbers(), { code: 'ENOENT' });
  t.equal(open.maildrop.records[0]?.status, 'present', 'nothing is believed to be gone');
});

t.test('whatever others do, a session sees what is left of what it had', async (t) => {
  const act = fc.record({
    what: fc.constantFrom('flag', 'remove', 'deliver', 'look', 'read'),
    which: fc.nat(7),
    flags: fc.constantFrom('', 'S', 'FS', 'T'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 25 }), async (acts) => {
      const maildir = makeMaildir(t);
      const files = new Map<number, { folder: 'new' | 'cur'; name: string }>();
      for (let number = 1; number <= 8; number += 1) {
        files.set(number, { folder: 'new', name: maildir.add(`message ${number}\n`) });
      }
      const open = await OpenMaildrop.on(maildir.path);
      for (const { what, which, flags } of acts) {
        const file = files.get(which + 1);
        if (what === 'deliver') maildir.add('unseen\n');
        if (what === 'look') t.strictSame(await open.numbers(), [...files.keys()]);
        if (what === 'read') {
          const content = await open.read(which + 1);
          t.equal(content, file === undefined ? null : `message ${which + 1}\n`);
        }
        if (file === undefined) continue;
        if (what === 'flag') {
          file.name = maildir.flag(file.folder, file.name, flags);
          file.folder = 'cur';
        }
        if (what === 'remove') {
          maildir.remove(file.folder, file.name);
          files.delete(which + 1);
        }
      }
      t.strictSame(await open.numbers(), [...files.keys()]);
    }),
    { seed: 1939, numRuns: 40 },
  );
});
