// Messages that are stored compressed, through a maildrop: what is read of them, and what a damaged or huge one costs.

import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { octetsIfKnown } from '../../../../src/maildrop/messages/octets.js';
import { UnservableMessage } from '../../../../src/maildrop/messages/unservable-message.js';
import type { Maildrop, OpenMessage } from '../../../../src/maildrop/messages/maildrop.js';
import { makeMaildir, OpenMaildrop } from '../../../support/mail/open-maildrop.js';
import { bzip2, gzipped, lz4 } from '../../../support/mail/packed-messages.js';

const letter = Buffer.from('Subject: x\n\n.dot\n');

async function open(t: Test, stored: Buffer): Promise<OpenMaildrop> {
  const maildir = makeMaildir(t);
  writeFileSync(join(maildir.path, 'new', '1700000000.M1P1.host'), stored);
  return OpenMaildrop.on(maildir.path);
}

async function openFirst(maildrop: Maildrop): Promise<OpenMessage> {
  const [record] = maildrop.records;
  if (record === undefined) throw new Error('there is no message');
  const file = await maildrop.open(record);
  if (file === null) throw new Error('the message is gone');
  return file;
}

/** The text, read as a session reads it: in chunks. */
async function readAll(file: OpenMessage, chunkBytes = 100_000): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (;;) {
    await file.makeReady?.(chunkBytes);
    const chunk = Buffer.alloc(chunkBytes);
    const length = file.read(chunk);
    if (length === 0) break;
    chunks.push(chunk.subarray(0, length));
  }
  file.close();
  return Buffer.concat(chunks);
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

const large = Buffer.from(`Subject: large\n\n${'0123456789abcdef\n'.repeat(100_000)}`);
const noise = Buffer.concat([
  Buffer.from('Subject: noise\n\n'),
  Buffer.from(Array.from({ length: 400_000 }, (_, at) => (at * at * 31 + (at >> 7)) & 0xff)),
]);

for (const [title, text] of Object.entries({
  'a small message': letter,
  'an empty message': Buffer.alloc(0),
  'a message that is large only when it is unpacked': large,
  'a message that is large however it is stored': noise,
  'a message of just a chunk': Buffer.alloc(256 * 1024, 'a: b\n'),
})) {
  t.test(`${title}, stored with gzip, is read as its text`, async (t) => {
    const { maildrop } = await open(t, gzipped(text));
    for (const round of ['first', 'second']) {
      const file = await openFirst(maildrop);
      t.equal(file.fileBytes, text.length, `${round} time`);
      t.ok((await readAll(file)).equals(text));
    }
    const plain = await open(t, text);
    await plain.maildrop.measureAll();
    await maildrop.measureAll();
    const [expected] = plain.maildrop.records;
    const [record] = maildrop.records;
    t.equal(record?.octets, expected?.octets, 'and has the octets of its text');
  });
}

t.test('two members of a gzip file are one text', async (t) => {
  const { maildrop } = await open(t, Buffer.concat([gzipped(letter), gzipped(large)]));
  const text = await readAll(await openFirst(maildrop));
  t.ok(text.equals(Buffer.concat([letter, large])));
});

t.test(
  'a gzip file that is a thousand times larger when unpacked takes no such memory',
  async (t) => {
    const { maildrop } = await open(t, gzipped(Buffer.alloc(200_000_000)));
    const before = process.memoryUsage.rss();
    const file = await openFirst(maildrop);
    t.equal(file.fileBytes, 200_000_000);
    await file.makeReady?.(1000);
    file.close();
    t.ok(process.memoryUsage.rss() - before < 100_000_000);
  },
);

const cut = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length - 10);
const flipped = (bytes: Buffer): Buffer => {
  const copy = Buffer.from(bytes);
  copy[20] = (copy[20] ?? 0) ^ 0xff;
  return copy;
};
for (const [title, stored] of Object.entries({
  'a small one that is cut': cut(gzipped(letter)),
  'a large one that is cut': cut(gzipped(noise)),
  'one with a wrong octet': flipped(gzipped(letter)),
  'a large one with a wrong octet': flipped(gzipped(large)),
  'its first two octets alone': Buffer.from('1f8b', 'hex'),
})) {
  t.test(
    `a gzip file that is damaged cannot be read, and leaves nothing open: ${title}`,
    async (t) => {
      const { maildrop, reported } = await open(t, stored);
      const before = openDescriptors();
      await t.rejects(openFirst(maildrop));
      t.equal(openDescriptors(), before);
      await maildrop.measureAll();
      t.equal(octetsIfKnown(maildrop.records[0]?.octets as never), stored.length);
      t.match(reported, [{ event: 'unreadable' }, { event: 'unreadable' }]);
      const [record] = maildrop.records;
      if (record !== undefined) await maildrop.requireServable(record);
    },
  );
}

for (const [packing, stored] of Object.entries({ bzip2, LZ4: lz4 })) {
  t.test(`a message that is stored with ${packing} can neither be read nor deleted`, async (t) => {
    const { maildrop, reported } = await open(t, stored);
    const before = openDescriptors();
    await t.rejects(openFirst(maildrop), UnservableMessage);
    const [record] = maildrop.records;
    if (record === undefined) return;
    await t.rejects(Promise.resolve(maildrop.requireServable(record)), UnservableMessage);
    t.equal(openDescriptors(), before);
    t.match(reported[0], { event: 'unreadable', fields: { error: new RegExp(packing) } });
  });
}

t.test('two messages that are read in turns are not mixed up', async (t) => {
  const maildir = makeMaildir(t);
  maildir.add('Subject: one\n\none\n');
  maildir.add('Subject: two\n\ntwo\n');
  const { maildrop } = await OpenMaildrop.on(maildir.path);
  const files: OpenMessage[] = [];
  for (const record of maildrop.records) {
    const file = await maildrop.open(record);
    if (file !== null) files.push(file);
  }
  const texts: string[] = [];
  for (const file of files) texts.push((await readAll(file, 7)).toString());
  t.strictSame(texts, ['Subject: one\n\none\n', 'Subject: two\n\ntwo\n']);
});
