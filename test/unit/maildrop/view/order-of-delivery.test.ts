import fc from 'fast-check';
import t, { type Test } from 'tap';
import { deliveryTimeOf } from '../../../../src/maildir/base-name.js';
import { orderOfDelivery } from '../../../../src/maildrop/view/order-of-delivery.js';

interface Item {
  readonly baseName: string;
  readonly seconds: number;
  readonly microseconds: number;
  readonly serial: number;
}

function items(baseNames: readonly string[]): Item[] {
  return baseNames.map((baseName, serial) => ({ ...deliveryTimeOf(baseName), baseName, serial }));
}

/** Written anew, to be compared with. */
function isBefore(a: Item, b: Item): boolean {
  if (a.seconds !== b.seconds) return a.seconds < b.seconds;
  if (a.microseconds !== b.microseconds) return a.microseconds < b.microseconds;
  if (a.baseName !== b.baseName) return a.baseName < b.baseName;
  return a.serial < b.serial;
}

async function expectSorted(t: Test, baseNames: readonly string[]): Promise<void> {
  const given = items(baseNames);
  const sorted = Array.from(await orderOfDelivery(baseNames), (index) => given[index]);
  const misplaced = sorted.findIndex((item, index) => {
    const next = sorted[index + 1];
    return item !== undefined && next !== undefined && !isBefore(item, next);
  });
  t.equal(misplaced, -1, `${baseNames.length} names`);
  t.equal(new Set(sorted).size, baseNames.length, 'none is lost');
}

/** In an order like a directory's: none. */
function shuffled(names: readonly string[]): string[] {
  return names.map((_, index) => names[(index * 7919) % names.length] ?? '');
}

const lists: Readonly<Record<string, (serial: number) => string>> = {
  'a second each': (serial) => `${1_700_000_000 + serial}.M1P2.host`,
  'a few in each second': (serial) => `${1_700_000_000 + (serial >> 2)}.M${serial}P2.host`,
  'all in one second': (serial) => `1700000000.M${serial % 100}P${serial}.host`,
  'without a time': (serial) => `x${serial}`,
  'times around 2^36': (serial) => `${(2 ** 36 - 5 + serial).toString()}.host`,
  'twice the same name': (serial) => `${1_700_000_000 + (serial >> 1)}.M1P2.host`,
};

for (const [what, nameOf] of Object.entries(lists)) {
  t.test(`sorts names with ${what}, short lists and long ones`, async (t) => {
    for (const length of [0, 1, 2, 100, 2048, 2049, 5003, 8192]) {
      await expectSorted(t, shuffled(Array.from({ length }, (_, serial) => nameOf(serial))));
    }
  });
}

t.test('a very long list is sorted while others get their turn', async (t) => {
  const names = Array.from({ length: 2 ** 18 + 2 }, (_, serial) => `${serial >> 3}.M${serial}P1.x`);
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 0);
  await expectSorted(t, shuffled(names));
  clearInterval(timer);
  t.ok(turns > 3, `${turns} turns`);
});

t.test('any times in any order are sorted', async (t) => {
  const name = fc
    .tuple(fc.nat(3), fc.nat(2), fc.nat(9))
    .map(([seconds, microseconds, serial]) => `${seconds}.M${microseconds}P${serial}`);
  await fc.assert(
    fc.asyncProperty(fc.array(name, { minLength: 30, maxLength: 50 }), async (names) => {
      await expectSorted(t, Array.from({ length: 70 }, () => names).flat());
    }),
    { numRuns: 20, seed: 17 },
  );
});
