// The file pop3d.unique-ids: what is written is read back, and what is damaged says nothing.

import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  maxRemembered,
  rememberedIdsName,
  tryReadRememberedIds,
  writeRememberedIds,
} from '../../../../src/maildrop/unique-ids/remembered-ids.js';
import { makeMaildir } from '../../../support/mail/open-maildrop.js';

const two = [
  { octets: 12, uniqueId: 'a', baseName: 'a,S=10' },
  { octets: null, uniqueId: '!~', baseName: 'b \n%0A\xff' },
];
const text = 'pop3d.unique-ids 1\n12 a a,S=10\n- !~ b %0A%250A\xff\nend 2\n';

function inboxWith(t: Test, content: string): string {
  const { path } = makeMaildir(t);
  writeFileSync(join(path, rememberedIdsName), content, 'latin1');
  return path;
}

t.test('the text is the one that pop3d.unique-ids(5) describes', async (t) => {
  const { path } = makeMaildir(t);
  await writeRememberedIds(path, two);
  t.equal(readFileSync(join(path, rememberedIdsName), 'latin1'), text);
  t.same(readdirSync(join(path, 'tmp')), [], 'no temporary file stays');
});

t.test('what was written is read back', (t) => {
  t.strictSame(tryReadRememberedIds(inboxWith(t, text)), two);
  t.end();
});

t.test('of many messages some are remembered, from the first to nearly the last', async (t) => {
  const { path } = makeMaildir(t);
  const many = Array.from({ length: 10_000 }, (_, index) => ({
    octets: index,
    uniqueId: `id${index}`,
    baseName: `name${index}`,
  }));
  await writeRememberedIds(path, many);
  const remembered = tryReadRememberedIds(path);
  t.equal(remembered?.length, maxRemembered);
  t.strictSame(remembered?.[0], many[0]);
  t.ok((remembered?.at(-1)?.octets ?? 0) > 9900);
});

t.test('messages without an id are not remembered', async (t) => {
  const { path } = makeMaildir(t);
  await writeRememberedIds(path, [{ octets: 1, uniqueId: null, baseName: 'x' }]);
  t.strictSame(tryReadRememberedIds(path), []);
});

for (const [title, content] of [
  ['an empty file', ''],
  ['another format', text.replace(' 1\n', ' 2\n')],
  ['a file that was cut', text.slice(0, -9)],
  ['a last line without its end', text.slice(0, -1)],
  ['a wrong count', text.replace('end 2', 'end 3')],
  ['an entry that is none', text.replace('12 a a', '12 a')],
  ['octets that are no number', text.replace('12 a', '1x a')],
  ['an id of 71 characters', text.replace('12 a ', `12 ${'a'.repeat(71)} `)],
  ['an entry too many', `pop3d.unique-ids 1\n${'1 a a\n'.repeat(257)}end 257\n`],
  ['a file too large', `pop3d.unique-ids 1\n1 a ${'a'.repeat(300_000)}\nend 1\n`],
] as const) {
  t.test(`${title} says nothing`, (t) => {
    t.equal(tryReadRememberedIds(inboxWith(t, content)), null);
    t.end();
  });
}

t.test('no file, a directory and a link say nothing', (t) => {
  const { path } = makeMaildir(t);
  t.equal(tryReadRememberedIds(path), null);
  symlinkSync('/etc/passwd', join(path, rememberedIdsName));
  t.equal(tryReadRememberedIds(path), null);
  const other = makeMaildir(t).path;
  mkdirSync(join(other, rememberedIdsName), { recursive: true });
  t.equal(tryReadRememberedIds(other), null);
  t.end();
});
