// Octets of a maildrop's messages: counted once, remembered in pop3d.octets, and what a wrong file there costs.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { unknownOctets } from '../../../../src/maildrop/messages/octets.js';
import {
  octetsCacheName,
  readOctetsCache,
  writeOctetsCache,
} from '../../../../src/maildrop/octets/octets-cache.js';
import { unlessRoot } from '../../../support/peers/debian.js';
import { makeMaildir, OpenMaildrop } from '../../../support/mail/open-maildrop.js';

const letter = 'a: b\n\nx\n'; // 11 octets as sent

async function entriesIn(inbox: string): Promise<Record<string, number>> {
  const entries: Record<string, number> = {};
  const note = (baseName: string, octets: number): void => {
    entries[baseName] = octets;
  };
  await readOctetsCache(inbox, { messages: [], found: () => undefined, other: note });
  return entries;
}

t.test('octets that were counted are remembered for the next session', async (t) => {
  const maildir = makeMaildir(t);
  const name = maildir.add(letter);
  maildir.add(letter, { name: '2.x,W=99' });
  const first = await OpenMaildrop.on(maildir.path);
  await first.octets();
  await first.maildrop.close();
  t.strictSame(await entriesIn(maildir.path), { [name]: 11 }, '",W=" needs no remembering');
  // The next session counts nothing: it would find other octets.
  writeFileSync(join(maildir.path, 'new', name), 'shorter');
  t.strictSame(await (await OpenMaildrop.on(maildir.path)).octets(), { 1: 99, 2: 11 });
});

t.test('a session that counted nothing writes nothing', async (t) => {
  const maildir = makeMaildir(t);
  maildir.add(letter);
  const open = await OpenMaildrop.on(maildir.path);
  await open.uniqueIds();
  await open.maildrop.close();
  t.notOk(existsSync(join(maildir.path, octetsCacheName)));
});

const wrongFiles: Readonly<Record<string, (name: string) => string | Buffer>> = {
  empty: () => '',
  'of another version': (name) => `pop3d.octets 2\n77 ${name}\nend 1\n`,
  foreign: () => 'Subject: not a cache\n\n',
  noise: () => Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7919) & 0xff)),
  'cut before its end': (name) => `pop3d.octets 1\n77 ${name}\n`,
  'cut in an entry': (name) => `pop3d.octets 1\n7 ${name.slice(0, 3)}`,
  'without octets': (name) => `pop3d.octets 1\n ${name}\nend 1\n`,
  'with negative octets': (name) => `pop3d.octets 1\n-1 ${name}\nend 1\n`,
  'with octets beyond all counting': (name) => `pop3d.octets 1\n${'9'.repeat(30)} ${name}\nend 1\n`,
  'with octets that are no number': (name) => `pop3d.octets 1\n1e2 ${name}\nend 1\n`,
  'with CRLF line ends': (name) => `pop3d.octets 1\r\n77 ${name}\r\nend 1\r\n`,
  'with an empty line': (name) => `pop3d.octets 1\n\n77 ${name}\nend 1\n`,
};

for (const [what, contentFor] of Object.entries(wrongFiles)) {
  t.test(`a file that is ${what} costs time and nothing else, and is replaced`, async (t) => {
    const maildir = makeMaildir(t);
    const name = maildir.add(letter);
    writeFileSync(join(maildir.path, octetsCacheName), contentFor(name));
    const open = await OpenMaildrop.on(maildir.path);
    t.strictSame(await open.octets(), { 1: 11 });
    await open.maildrop.close();
    t.strictSame(await entriesIn(maildir.path), { [name]: 11 });
  });
}

t.test('entries of messages that are not there are forgotten', async (t) => {
  const maildir = makeMaildir(t);
  const name = maildir.add(letter);
  await writeOctetsCache(maildir.path, [['long-gone', 5]]);
  const open = await OpenMaildrop.on(maildir.path);
  await open.octets();
  await open.maildrop.close();
  t.strictSame(await entriesIn(maildir.path), { [name]: 11 });
});

t.test('octets that lie are put right by a whole read, and the lie is told', async (t) => {
  const maildir = makeMaildir(t);
  const name = maildir.add(letter);
  await writeOctetsCache(maildir.path, [[name, 5]]);
  const open = await OpenMaildrop.on(maildir.path);
  t.strictSame(await open.octets(), { 1: 5 });
  const [record] = open.maildrop.records;
  if (record !== undefined) open.maildrop.correctOctets(record, 11);
  t.match(open.reported, [{ event: 'octets-corrected', fields: { believed: 5, octets: 11 } }]);
  await open.maildrop.close();
  t.strictSame(await entriesIn(maildir.path), { [name]: 11 });
});

for (const [what, put] of [
  ['directory', (path: string) => mkdirSync(path)],
  ['FIFO', (path: string) => spawnSync('mkfifo', [path])],
  ['link', (path: string) => symlinkSync('/etc/passwd', path)],
  ['endless device', (path: string) => symlinkSync('/dev/zero', path)],
] as const) {
  t.test(`a ${what} in the place of the file is not read`, async (t) => {
    const maildir = makeMaildir(t);
    maildir.add(letter);
    put(join(maildir.path, octetsCacheName));
    const open = await OpenMaildrop.on(maildir.path);
    t.strictSame(await open.octets(), { 1: 11 });
    await open.maildrop.close();
    t.strictSame(maildir.names('tmp'), []);
    if (what === 'link') t.match(readFileSync('/etc/passwd', 'latin1'), 'root:', 'nor written to');
  });
}

t.test('a Maildir without tmp is served all the same', async (t) => {
  const maildir = makeMaildir(t);
  maildir.add(letter);
  rmSync(join(maildir.path, 'tmp'), { recursive: true });
  const open = await OpenMaildrop.on(maildir.path);
  t.strictSame(await open.octets(), { 1: 11 });
  await open.maildrop.close();
  t.match(open.reported, [{ event: 'octets-not-remembered' }]);
});

const notAsRoot =
  unlessRoot() === false && 'root may write everywhere: see programs/pop3d-permissions';

t.test(
  'a Maildir that may not be written is served all the same',
  { skip: notAsRoot },
  async (t) => {
    const maildir = makeMaildir(t);
    maildir.add(letter);
    chmodSync(join(maildir.path, 'tmp'), 0o500);
    const open = await OpenMaildrop.on(maildir.path);
    t.strictSame(await open.octets(), { 1: 11 });
    await open.maildrop.close();
    t.match(open.reported, [{ event: 'octets-not-remembered' }]);
  },
);

t.test('a session that only retrieves keeps what others counted', async (t) => {
  const maildir = makeMaildir(t);
  const names = [maildir.add(letter), maildir.add(letter)];
  await writeOctetsCache(maildir.path, [[names[0] ?? '', 11]]);
  const open = await OpenMaildrop.on(maildir.path);
  const [, second] = open.maildrop.records;
  if (second !== undefined) open.maildrop.correctOctets(second, 11);
  await open.maildrop.close();
  t.strictSame(await entriesIn(maildir.path), { [names[0] ?? '']: 11, [names[1] ?? '']: 11 });
});

t.test('octets in a name count only where none are remembered', async (t) => {
  const maildir = makeMaildir(t);
  const name = maildir.add(letter, { name: '1.M1P1.h,W=5' });
  t.strictSame(await (await OpenMaildrop.on(maildir.path)).octets(), { 1: 5 });
  await writeOctetsCache(maildir.path, [[name, 11]]);
  t.strictSame(await (await OpenMaildrop.on(maildir.path)).octets(), { 1: 11 });
});

t.test(
  'before it is sent a message is counted that was not, or whose file has another size',
  async (t) => {
    const maildir = makeMaildir(t);
    const names = ['1.M1P1.h,W=12', '2.M1P1.h', '3.M1P1.h'].map((name) =>
      maildir.add(letter, { name }),
    );
    await writeOctetsCache(maildir.path, [
      [names[1] ?? '', 9],
      [names[2] ?? '', 7],
    ]);
    const open = await OpenMaildrop.on(maildir.path);
    for (const record of open.maildrop.records) await open.maildrop.measureForSending(record, 8);
    t.strictSame(await open.octets(), { 1: 11, 2: 9, 3: 11 }, 'nine octets in eight bytes may be');
    await open.maildrop.close();
    t.strictSame(await entriesIn(maildir.path), {
      [names[0] ?? '']: 11,
      [names[1] ?? '']: 9,
      [names[2] ?? '']: 11,
    });
    t.match(open.reported, [
      { event: 'octets-corrected', fields: { believed: 12, octets: 11 } },
      { event: 'octets-corrected', fields: { believed: 7, octets: 11 } },
    ]);
  },
);

t.test('the file of unique-ids that earlier versions kept goes with the next write', async (t) => {
  const maildir = makeMaildir(t);
  maildir.add(letter);
  const former = join(maildir.path, 'pop3d.unique-ids');
  writeFileSync(former, 'pop3d.unique-ids 1\nend 0\n');
  const open = await OpenMaildrop.on(maildir.path);
  await open.octets();
  await open.maildrop.close();
  t.notOk(existsSync(former));
  t.ok(existsSync(join(maildir.path, octetsCacheName)));
});

t.test(
  'a message that cannot be read and has no size is an error, and never 0 octets',
  async (t) => {
    const maildir = makeMaildir(t);
    maildir.add(letter);
    const open = await OpenMaildrop.on(maildir.path);
    rmSync(join(maildir.path, 'new'), { recursive: true });
    writeFileSync(join(maildir.path, 'new'), '');
    await t.rejects(Promise.resolve(open.maildrop.measureAll()));
    t.equal(open.maildrop.records[0]?.octets, unknownOctets);
  },
);
