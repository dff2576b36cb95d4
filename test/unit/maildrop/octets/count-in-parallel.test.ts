import { linkSync, lstatSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { namedOctets, octetsIfKnown } from '../../../../src/maildrop/messages/octets.js';
import {
  countInParallel,
  messagesWorthAThread,
} from '../../../../src/maildrop/octets/count-in-parallel.js';
import type { FilePlace } from '../../../../src/maildrop/octets/counting-task.js';
import { octetsCacheName } from '../../../../src/maildrop/octets/octets-cache.js';
import { makeMaildir, OpenMaildrop } from '../../../support/mail/open-maildrop.js';
import type { MaildirFixture } from '../../../support/mail/maildir-fixture.js';

const letter = 'a: b\n\nx\n'; // 11 octets as sent

/** Links to one file: as good as so many messages. */
function fill(maildir: MaildirFixture, count: number): FilePlace[] {
  const first = join(maildir.path, 'cur', maildir.add(letter, { folder: 'cur' }));
  return Array.from({ length: count }, (_, index) => {
    const name = `18${String(index).padStart(8, '0')}.M1P1.host:2,S`;
    linkSync(first, join(maildir.path, 'cur', name));
    return { subdirectory: 'cur', name };
  });
}

t.test('counts all, with what help it can get', async (t) => {
  const maildir = makeMaildir(t);
  const files = fill(maildir, 3000);
  const expected = new Float64Array(3000).fill(11);
  t.strictSame(await countInParallel(maildir.path, files), expected);
  const together = [1, 2].map(() => countInParallel(maildir.path, files));
  t.strictSame(await Promise.all(together), [expected, expected], 'two at once');
});

t.test('other work gets its turn while much is counted', async (t) => {
  const maildir = makeMaildir(t);
  const files = fill(maildir, 2000);
  // The same ones again and again: much more than a slice's work.
  const many = Array.from({ length: 20 }, () => files).flat();
  let isCounting = true;
  const counting = countInParallel(maildir.path, many).finally(() => (isCounting = false));
  const isStillCounting = (): boolean => isCounting;
  let turnCount = 0;
  while (isStillCounting()) {
    await new Promise((resolve) => setImmediate(resolve));
    turnCount += 1;
  }
  t.ok((await counting).every((octets) => octets === 11));
  t.ok(turnCount > 5, `${turnCount} turns`);
});

t.test('a large maildrop that changes while it is counted is counted right', async (t) => {
  const maildir = makeMaildir(t);
  const count = messagesWorthAThread + 3;
  const files = fill(maildir, count);
  const open = await OpenMaildrop.on(maildir.path);
  const [renamed, removed, replaced] = files.map(({ name }) => name);
  maildir.flag('cur', renamed ?? '', 'RS');
  maildir.remove('cur', removed ?? '');
  maildir.remove('cur', replaced ?? '');
  maildir.add('longer: than it was\n\nx\n', { name: replaced ?? '', folder: 'cur' });
  await open.maildrop.measureAll();
  const octets = open.maildrop.records.map((record) => octetsIfKnown(record.octets));
  // The first message is the one that the others are links of.
  t.strictSame(octets.slice(0, 5), [11, 11, null, 26, 11]);
  t.ok(octets.slice(4).every((value) => value === 11));
  t.equal(open.maildrop.records[2]?.status, 'gone');
  t.strictSame(open.reported, []);
  await open.maildrop.close();
  const lines = readFileSync(join(maildir.path, octetsCacheName), 'latin1').split('\n');
  t.equal(lines.at(-2), `end ${count}`, 'all but the one that is gone are remembered');
});

t.test("a link that takes a message's place in a large maildrop is not followed", async (t) => {
  const maildir = makeMaildir(t);
  const files = fill(maildir, messagesWorthAThread);
  const name = files[7]?.name ?? '';
  const open = await OpenMaildrop.on(maildir.path);
  maildir.remove('cur', name);
  symlinkSync('/etc/passwd', join(maildir.path, 'cur', name));
  await open.maildrop.measureAll();
  t.match(open.reported, [{ event: 'unreadable', fields: { file: name } }]);
  const { size } = lstatSync(join(maildir.path, 'cur', name));
  t.equal(open.maildrop.records[8]?.octets, namedOctets(size), 'the size of the link itself');
});
