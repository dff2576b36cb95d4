import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import {
  octetsCacheName,
  readOctetsCache,
  writeOctetsCache,
  type OctetsEntry,
} from '../../../../src/maildrop/octets/octets-cache.js';

/** @param expected base names in the order in which entries are looked for; the result must not depend on them */
async function readAll(inbox: string, expected: readonly string[] = []): Promise<OctetsEntry[]> {
  const entries: OctetsEntry[] = [];
  const count = await readOctetsCache(inbox, {
    messages: expected.map((baseName) => ({ baseName })),
    found: ({ baseName }, octets) => entries.push([baseName, octets]),
    other: (...entry) => entries.push(entry),
  });
  if (count !== entries.length) throw new Error(`${count} are said, ${entries.length} visited`);
  return entries;
}

t.test('what is written is read again, whatever bytes the names hold', async (t) => {
  const inbox = t.testdir({ tmp: {} });
  const entries: OctetsEntry[] = [
    ['1700.M1P2.host,S=5', 7],
    ['with space', 0],
    ['100%', 1],
    ['%0A', 2],
    ['%250A', 3],
    ['a\nb', 4],
    ['\xff\xfe', 999_999_999_999_999],
    ['end 3', 5],
    ['a\nend 9', 6],
  ];
  await writeOctetsCache(inbox, entries);
  t.same(await readAll(inbox), entries);
  t.same(readdirSync(join(inbox, 'tmp')), [], 'nothing is left in tmp');
  const names = entries.map(([baseName]) => baseName);
  t.same(await readAll(inbox, names), entries, 'when they are expected');
  t.same(await readAll(inbox, names.toReversed()), entries, 'in another order');
  t.same(await readAll(inbox, ['%250A', '100%25', 'a%0Ab']), entries, 'for names like the escapes');
});

t.test('an entry is told apart from those of names that are longer or shorter', async (t) => {
  const inbox = t.testdir({ tmp: {} });
  await writeOctetsCache(inbox, [['name1', 5]]);
  for (const expected of ['name', 'name11', 'name1\nend']) {
    let foundCount = 0;
    await readOctetsCache(inbox, {
      messages: [{ baseName: expected }],
      found: () => (foundCount += 1),
      other: (baseName, octets) => t.same([baseName, octets], ['name1', 5]),
    });
    t.equal(foundCount, 0, expected);
  }
});

t.test('ten thousand entries are written and read', async (t) => {
  const inbox = t.testdir({ tmp: {} });
  const entries = [...Array(10_000).keys()].map((n): OctetsEntry => [`name${n}`, n]);
  await writeOctetsCache(inbox, entries);
  t.same(await readAll(inbox), entries);
});

t.test('no entries make a file that is read as none', async (t) => {
  const inbox = t.testdir({ tmp: {} });
  await writeOctetsCache(inbox, []);
  t.same(await readAll(inbox), []);
  t.equal(readFileSync(join(inbox, octetsCacheName), 'latin1'), 'pop3d.octets 1\nend 0\n');
});

const damaged: readonly (readonly [
  title: string,
  text: string,
  entries: readonly OctetsEntry[],
])[] = [
  ['an empty file', '', []],
  ['a file of another kind', 'hello\n1 a\nend 1\n', []],
  ['a file of another version', 'pop3d.octets 2\n1 a\nend 1\n', []],
  ['a file cut inside its last line', 'pop3d.octets 1\n1 a\n2 b', []],
  ['a file with a bad line after a good one', 'pop3d.octets 1\n1 a\nx b\n3 c\nend 3\n', [['a', 1]]],
  ['a file that lacks a line', 'pop3d.octets 1\n1 a\n2 c\nend 3\n', []],
  ['a file with a line too many', 'pop3d.octets 1\n1 a\n2 b\nend 1\n', []],
  ['a file with two lines in one', 'pop3d.octets 1\n1 a\n2 b3 c\nend 3\n', []],
  ['a file with more after its last line', 'pop3d.octets 1\n1 a\nend 1\nx\n', []],
  ['a line without a space', 'pop3d.octets 1\n1\nend 1\n', []],
  ['a number that is none', 'pop3d.octets 1\n-1 a\nend 1\n', []],
  ['a number over 2^53', 'pop3d.octets 1\n10000000000000000 a\nend 1\n', []],
  ['a line without a number', 'pop3d.octets 1\n a\nend 1\n', []],
];

for (const [title, text, entries] of damaged) {
  t.test(`${title} gives ${entries.length} entries and no error`, async (t) => {
    t.same(await readAll(t.testdir({ [octetsCacheName]: text })), entries);
  });
}

t.test(
  'no file, a directory, a FIFO and a symbolic link give no entries and no error',
  async (t) => {
    t.same(await readAll(t.testdir()), []);
    t.same(await readAll(join(t.testdirName, 'none')), []);
    for (const kind of ['directory', 'fifo', 'link']) {
      const inbox = join(t.testdirName, kind);
      mkdirSync(inbox);
      const path = join(inbox, octetsCacheName);
      if (kind === 'directory') mkdirSync(path);
      if (kind === 'fifo') execFileSync('mkfifo', [path]);
      if (kind === 'link') {
        writeFileSync(join(inbox, 'target'), 'pop3d.octets 1\n1 a\nend 1\n');
        symlinkSync('target', path);
      }
      t.same(await readAll(inbox), [], kind);
    }
  },
);

t.test('a failed write leaves the old file as it was', async (t) => {
  const inbox = t.testdir({ tmp: {} });
  await writeOctetsCache(inbox, [['a', 1]]);
  function* failing(): Generator<OctetsEntry> {
    yield ['b', 2];
    throw new Error('no more');
  }
  await t.rejects(writeOctetsCache(inbox, failing()), { message: 'no more' });
  t.same(await readAll(inbox), [['a', 1]]);
  t.same(readdirSync(join(inbox, 'tmp')), []);
});

t.test('without a tmp folder a write is an error that names the file', async (t) => {
  await t.rejects(writeOctetsCache(t.testdir(), [['a', 1]]), { code: 'ENOENT' });
});

t.test('writers at the same time all succeed, and one whole file stays', async (t) => {
  const inbox = t.testdir({ tmp: {} });
  const writers = [1, 2, 3, 4].map((writer) =>
    writeOctetsCache(
      inbox,
      [...Array(50).keys()].map((n): OctetsEntry => [`n${n}`, writer]),
    ),
  );
  await Promise.all(writers);
  const entries = await readAll(inbox);
  t.equal(entries.length, 50);
  t.equal(new Set(entries.map(([, octets]) => octets)).size, 1);
});
