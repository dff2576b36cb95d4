import fc from 'fast-check';
import t from 'tap';
import { sortInTurns } from '../../../../src/maildrop/view/sort-in-turns.js';

interface Item {
  readonly key: number;
  readonly serial: number;
}

function items(keys: readonly number[]): Item[] {
  return keys.map((key, serial) => ({ key, serial }));
}

function byKey(a: Item, b: Item): number {
  return a.key - b.key;
}

t.test('sorts as Array.prototype.sort does, and as stably', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(50), { maxLength: 40 }),
      fc.constantFrom(1, 64, 257),
      async (keys, repeats) => {
        const list = items(Array.from({ length: repeats }, () => keys).flat());
        const sorted = await sortInTurns(list, byKey);
        t.strictSame(
          sorted.map(({ serial }) => serial),
          list.toSorted(byKey).map(({ serial }) => serial),
        );
      },
    ),
    { seed: 1939, numRuns: 60 },
  );
});

t.test('leaves the list that it was given as it is', async (t) => {
  const list = items([3, 1, 2]);
  await sortInTurns(list, byKey);
  t.strictSame(list, items([3, 1, 2]));
  t.strictSame(await sortInTurns([], byKey), []);
});

t.test('gives way while it sorts a long list', async (t) => {
  const keys = Array.from({ length: 200_000 }, (_, index) => (index * 7919) % 200_003);
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 0);
  const sorted = await sortInTurns(items(keys), byKey);
  clearInterval(timer);
  t.ok(turns > 3);
  t.ok(sorted.every(({ key }, index) => index === 0 || (sorted[index - 1]?.key ?? 0) <= key));
});
