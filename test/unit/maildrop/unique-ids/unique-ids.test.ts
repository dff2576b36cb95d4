import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import {
  assignUniqueIdsFromBaseNames,
  uniqueIdFromBaseName,
} from '../../../../src/maildrop/unique-ids/unique-ids.js';
import { isUniqueId } from '../../../../src/wire/listing.js';
import { fixedDraws } from '../../../support/mail/arbitrary-message.js';
import { holdsInTime } from '../../../support/suite/property.js';

function hashOf(name: string): string {
  return createHash('sha256').update(Buffer.from(name, 'latin1')).digest('base64url');
}

async function idsOf(baseNames: readonly string[]): Promise<(string | null)[]> {
  const messages = baseNames.map((baseName) => ({ baseName, uniqueId: null as string | null }));
  await assignUniqueIdsFromBaseNames(messages);
  return messages.map(({ uniqueId }) => uniqueId);
}

t.test('the unique-id is the base name without its sizes', (t) => {
  t.equal(uniqueIdFromBaseName('1700.M1P2.host,S=120,W=125'), '1700.M1P2.host');
  t.equal(uniqueIdFromBaseName('x'.repeat(70)), 'x'.repeat(70));
  t.end();
});

t.test('a base name that is no legal unique-id gives 43 characters of its hash', (t) => {
  for (const name of ['x'.repeat(71), 'a b', 'caf\xe9', 'a\nb', 'a\x7f']) {
    t.equal(uniqueIdFromBaseName(name), hashOf(name));
    t.equal(uniqueIdFromBaseName(`${name},S=5`), hashOf(name), 'sizes may be added later');
  }
  t.equal(uniqueIdFromBaseName(',S=5'), hashOf(''));
  t.end();
});

t.test(
  'of messages that differ in their sizes only, the later gets another unique-id',
  async (t) => {
    t.same(await idsOf(['a,S=1', 'a,S=2', 'a']), ['a', hashOf('a,S=2'), hashOf('a')]);
  },
);

t.test('a file named after the hash of another does not get that unique-id', async (t) => {
  const [first, second] = await idsOf([hashOf('a b'), 'a b']);
  t.equal(first, hashOf('a b'));
  t.not(second, first);
  t.ok(isUniqueId(second ?? ''));
});

t.test('any base names have legal unique-ids, no two the same, the same each time', async (t) => {
  const name = fc.string({
    unit: fc.constantFrom('a', ',S=', ',W=', '1', ' ', '\xff', '.'),
    maxLength: 8,
  });
  await holdsInTime(
    t,
    fc.asyncProperty(fc.uniqueArray(name, { maxLength: 40 }), async (names) => {
      const ids = await idsOf(names);
      assert.equal(new Set(ids).size, names.length);
      assert.ok(ids.every((id) => isUniqueId(id ?? '')));
      assert.deepEqual(await idsOf(names), ids);
    }),
    { ...fixedDraws, numRuns: 200 },
  );
});
