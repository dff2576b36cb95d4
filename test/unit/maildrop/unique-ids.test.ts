// Unique-ids from base names: legal, stable, and never two the same. RFC 1939 §7 (UIDL).

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import {
  assignUniqueIdsFromBaseNames,
  uniqueIdFromBaseName,
} from '../../../src/maildrop/unique-ids.js';
import { makeMaildir, OpenMaildrop } from '../../support/open-maildrop.js';

const hashOf = (name: string): string =>
  createHash('sha256').update(name, 'latin1').digest('base64url');

t.test('a base name that is a legal unique-id is one, without its sizes', (t) => {
  for (const [baseName, uniqueId] of [
    ['1700000000.M1P1.host', '1700000000.M1P1.host'],
    ['1700000000.M1P1.host,S=12,W=14', '1700000000.M1P1.host'],
    ['x', 'x'],
    ['x'.repeat(70), 'x'.repeat(70)],
    [`${'x'.repeat(70)},S=12345,W=12346`, 'x'.repeat(70)],
    ['!~', '!~'],
  ] as const) {
    t.equal(uniqueIdFromBaseName(baseName), uniqueId);
  }
  t.end();
});

t.test('any other base name gives 43 characters of its SHA-256', (t) => {
  for (const baseName of ['x'.repeat(71), 'a b', 'caf\xe9', 'a\nb', '\x7f', '\t', '']) {
    t.equal(uniqueIdFromBaseName(baseName), hashOf(baseName), JSON.stringify(baseName));
    t.equal(uniqueIdFromBaseName(baseName).length, 43);
  }
  t.equal(uniqueIdFromBaseName('a b,S=5'), hashOf('a b'), 'sizes make no difference here either');
  t.end();
});

async function idsOf(baseNames: readonly string[]): Promise<string[]> {
  const messages = baseNames.map((baseName) => ({ baseName, uniqueId: null as string | null }));
  await assignUniqueIdsFromBaseNames(messages);
  return messages.map(({ uniqueId }) => uniqueId ?? '');
}

t.test('messages that would have the same id get different ones', async (t) => {
  const ids = await idsOf(['a', 'a,S=1', 'a,S=2', 'b c', hashOf('b c'), 'b c,W=3']);
  t.equal(new Set(ids).size, ids.length);
  t.equal(ids[0], 'a', 'the first keeps its own');
});

t.test('no names, however chosen, give two messages one id or an illegal one', async () => {
  const name = fc.oneof(
    fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)) }),
    fc.constantFrom(
      'a',
      'a,S=1',
      'a,W=1',
      'a,S=1,W=1',
      'a b',
      hashOf('a b'),
      hashOf('a,S=1'),
      'a\n',
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(name, { maxLength: 30 }), async (names) => {
      const ids = await idsOf(names);
      return new Set(ids).size === ids.length && ids.every((id) => /^[!-~]{1,70}$/.test(id));
    }),
    { seed: 1939, numRuns: 500 },
  );
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
