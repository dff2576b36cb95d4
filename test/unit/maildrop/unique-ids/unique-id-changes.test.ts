// When messages count as the same with other unique-ids, and how many are many.

import t from 'tap';
import {
  areManyChanged,
  compareUniqueIds,
  isWorthComparing,
  type IdentifiedMessage,
} from '../../../../src/maildrop/unique-ids/unique-id-changes.js';

interface Named extends IdentifiedMessage {
  readonly uniqueId: string;
}

/** Messages of different octets, with the ids of their names. */
function messages(count: number, prefix = 'm'): Named[] {
  return Array.from({ length: count }, (_, index) => ({
    octets: 1000 + 7 * index,
    uniqueId: `${prefix}${index}`,
    baseName: `${prefix}${index}`,
  }));
}

const renamed = (list: readonly Named[], prefix: string): Named[] =>
  list.map(({ octets }, index) => ({
    octets,
    uniqueId: `${prefix}${index}`,
    baseName: `${prefix}${index}`,
  }));

const twenty = messages(20);

const cases: readonly {
  readonly title: string;
  readonly before: readonly Named[];
  readonly now: readonly IdentifiedMessage[];
  readonly changed: number;
  readonly isMany: boolean;
}[] = [
  { title: 'nothing changed', before: twenty, now: twenty, changed: 0, isMany: false },
  {
    title: 'other ids for the same files',
    before: twenty,
    now: twenty.map((message, index) => ({ ...message, uniqueId: `0000${index}` })),
    changed: 20,
    isMany: true,
  },
  {
    title: 'other ids, not known this time',
    before: twenty,
    now: twenty.map((message) => ({ ...message, uniqueId: null })),
    changed: 20,
    isMany: true,
  },
  {
    title: 'a copy under other names, with new mail between',
    before: twenty,
    now: [...messages(5, 'new'), ...renamed(twenty, 'copy')].map((message, index) =>
      index < 5 ? { ...message, octets: 90_000 + index } : message,
    ),
    changed: 20,
    isMany: true,
  },
  {
    title: 'sizes that were added to names leave the ids as they are',
    before: twenty,
    now: twenty.map((message) => ({ ...message, baseName: `${message.baseName},S=1` })),
    changed: 0,
    isMany: false,
  },
  {
    title: 'most were expunged',
    before: twenty,
    now: twenty.slice(0, 2),
    changed: 0,
    isMany: false,
  },
  {
    title: 'all were expunged and as many others came',
    before: twenty,
    now: renamed(twenty, 'other').map((message) => ({
      ...message,
      octets: 90_000 + (message.octets ?? 0),
    })),
    changed: 0,
    isMany: false,
  },
  {
    title: 'all were expunged and as many others came, all of one size, like those before',
    before: twenty.map((message) => ({ ...message, octets: 500 })),
    now: renamed(twenty, 'other').map((message) => ({ ...message, octets: 500 })),
    changed: 1,
    isMany: false,
  },
  {
    title: 'one is left, and the others were replaced by some of the same sizes',
    before: twenty,
    now: [...twenty.slice(0, 1), ...renamed(twenty, 'other').slice(1)],
    changed: 0,
    isMany: false,
  },
  {
    title: 'half have other ids',
    before: twenty,
    now: twenty.map((message, index) =>
      index % 2 === 0 ? { ...message, uniqueId: `0000${index}` } : message,
    ),
    changed: 10,
    isMany: false,
  },
  {
    title: 'ten of eleven have other ids: too few to speak of',
    before: messages(11),
    now: messages(11).map((message, index) =>
      index > 0 ? { ...message, uniqueId: `0000${index}` } : message,
    ),
    changed: 10,
    isMany: false,
  },
  {
    title: 'a copy whose octets nobody asked for is not recognised',
    before: twenty,
    now: renamed(twenty, 'copy').map((message) => ({ ...message, octets: null })),
    changed: 0,
    isMany: false,
  },
];

for (const { title, before, now, changed, isMany } of cases) {
  t.test(title, async (t) => {
    const comparison = await compareUniqueIds(before, now);
    t.equal(comparison.changedCount, changed);
    t.equal(areManyChanged(comparison, before.length), isMany);
    t.equal(comparison.example === null, changed === 0, 'an example of what changed');
  });
}

t.test('ten messages cannot change enough, eleven can', (t) => {
  t.notOk(isWorthComparing(10));
  t.ok(isWorthComparing(11));
  t.end();
});
