import t from 'tap';
import type {
  RecordState,
  StoredRecord,
} from '../../../../src/pop3-client/journal/journal-format.js';
import { uniqueIdKey } from '../../../../src/pop3-client/journal/message-key.js';
import { AlreadyStored } from '../../../../src/pop3-client/keep/already-stored.js';
import {
  nameOf,
  planSession,
  type Course,
  type PlanContext,
} from '../../../../src/pop3-client/run/session-plan.js';
import type { Entry } from '../../../../src/pop3-client/talk/listing.js';

const account = 'ann@example.org';

function entry(number: number, octets = 10, uniqueId: string | null = `id-${number}`): Entry {
  return { number, uniqueId, listedOctets: String(octets), expectedOctets: octets };
}

interface Row {
  readonly title: string;
  /** Four messages of 10 octets, id-1 to id-4, unless said. */
  readonly entries?: readonly Entry[];
  /** The state of each record there is, by the message's number. */
  readonly stored?: Readonly<Record<number, RecordState>>;
  /** Numbers of messages whose records have another size, and of those stored by this run. */
  readonly otherSize?: readonly number[];
  readonly ofThisRun?: readonly number[];
  readonly withoutTop?: readonly number[];
  /** How often a session ended at a message, by its number. */
  readonly suspects?: Readonly<Record<number, number>>;
  readonly excluded?: readonly number[];
  readonly course?: Partial<Course>;
  readonly context?: Partial<PlanContext>;
  /** Numbers of messages; what is not named is empty, and false. */
  readonly expected: {
    readonly known?: readonly number[];
    readonly deletable?: readonly number[];
    readonly doubted?: readonly number[];
    readonly wanted?: readonly number[];
    readonly tooLarge?: readonly number[];
    readonly isOneByOne?: boolean;
    readonly hasMore?: boolean;
  };
}

const allStored = { 1: 'stored', 2: 'stored', 3: 'stored', 4: 'stored' } as const;

const rows: readonly Row[] = [
  { title: 'new messages are fetched', expected: { wanted: [1, 2, 3, 4] } },
  { title: 'an empty mailbox', entries: [], expected: {} },
  {
    title: 'messages of this run are deleted, others of them fetched',
    stored: { 1: 'stored', 3: 'stored' },
    ofThisRun: [1, 3],
    expected: { known: [1, 3], deletable: [1, 3], wanted: [2, 4] },
  },
  {
    title: 'a message of an earlier run is compared by its top before it is deleted',
    stored: { 2: 'stored' },
    expected: { doubted: [2], wanted: [1, 3, 4] },
  },
  {
    title: 'and fetched where the server has no TOP',
    stored: { 2: 'stored' },
    context: { hasTop: false },
    expected: { wanted: [1, 2, 3, 4] },
  },
  {
    title: 'and fetched where its top was not recorded',
    stored: { 2: 'stored' },
    withoutTop: [2],
    expected: { wanted: [1, 2, 3, 4] },
  },
  {
    title: 'with --keep the unique-id and the size are enough, and nothing is deleted',
    stored: allStored,
    context: { isKept: () => true },
    expected: { known: [1, 2, 3, 4] },
  },
  {
    title: 'with --keep a message with another size is compared by its top',
    stored: allStored,
    otherSize: [3],
    context: { isKept: () => true },
    expected: { known: [1, 2, 4], doubted: [3] },
  },
  {
    title: 'a message of this run with another size is compared by its top',
    stored: { 1: 'stored' },
    ...{ otherSize: [1], ofThisRun: [1] },
    expected: { doubted: [1], wanted: [2, 3, 4] },
  },
  {
    title: 'a doubtful message is fetched again, with --keep too',
    stored: { 1: 'stored', 2: 'doubtful' },
    context: { isKept: () => true },
    expected: { known: [1], wanted: [2, 3, 4] },
  },
  {
    title: 'a message that was about to be stored is fetched',
    stored: { 1: 'storing' },
    ofThisRun: [1],
    expected: { wanted: [1, 2, 3, 4] },
  },
  {
    title: 'a message without a unique-id is fetched',
    entries: [entry(1, 10, null), entry(2)],
    stored: { 1: 'stored', 2: 'stored' },
    ofThisRun: [1, 2],
    expected: { known: [2], deletable: [2], wanted: [1] },
  },
  {
    title: 'messages that are larger than allowed are left, unless they are known',
    entries: [entry(1, 10), entry(2, 101), entry(3, 100), entry(4, 1000)],
    stored: { 4: 'stored' },
    ofThisRun: [4],
    context: { maxOctets: 100 },
    expected: { known: [4], deletable: [4], wanted: [1, 3], tooLarge: [2] },
  },
  {
    title: 'a session that only settles fetches nothing',
    stored: { 1: 'stored', 2: 'stored', 3: 'doubtful' },
    ofThisRun: [1],
    course: { isSettlingOnly: true },
    expected: { known: [1], deletable: [1], doubted: [2] },
  },
  {
    title: 'suspects wait while there is anything else to do',
    stored: { 1: 'stored' },
    ofThisRun: [1],
    suspects: { 2: 1 },
    expected: { known: [1], deletable: [1], wanted: [3, 4], hasMore: true },
  },
  {
    title: 'a suspect that is to be deleted waits as well',
    stored: { 1: 'stored', 2: 'stored' },
    ofThisRun: [1, 2],
    suspects: { 2: 1 },
    expected: { known: [1, 2], deletable: [1], wanted: [3, 4], hasMore: true },
  },
  {
    title: 'of suspects those at which the fewest sessions ended come first, each alone',
    suspects: { 1: 2, 2: 1, 3: 1, 4: 3 },
    expected: { wanted: [2, 3], isOneByOne: true, hasMore: true },
  },
  {
    title: 'of suspects those to be deleted come before those to be fetched',
    stored: { 1: 'stored' },
    ofThisRun: [1],
    suspects: { 1: 1, 2: 1, 3: 1, 4: 1 },
    expected: { known: [1], deletable: [1], isOneByOne: true, hasMore: true },
  },
  {
    title: 'once the message that is to blame is found, they go together',
    stored: { 1: 'stored' },
    ofThisRun: [1],
    suspects: { 1: 1, 2: 1, 3: 1 },
    ...{ excluded: [4], course: { hasCulprit: true } },
    expected: { known: [1], deletable: [1], wanted: [2, 3], isOneByOne: true },
  },
  {
    title: 'the top of a suspect is not asked for',
    stored: allStored,
    suspects: { 1: 1, 2: 1, 3: 1, 4: 1 },
    expected: { wanted: [1, 2, 3, 4], isOneByOne: true },
  },
  {
    title: 'excluded messages are not dealt with, known or not',
    stored: { 1: 'stored', 2: 'stored' },
    ofThisRun: [1, 2],
    excluded: [1, 3],
    expected: { known: [1, 2], deletable: [2], wanted: [4] },
  },
  {
    title: 'with everything excluded there is nothing left',
    excluded: [1, 2, 3, 4],
    expected: {},
  },
];

const numbers = (entries: Iterable<Entry>): number[] => Array.from(entries, ({ number }) => number);

for (const row of rows) {
  t.test(row.title, (t) => {
    const entries = row.entries ?? [entry(1), entry(2), entry(3), entry(4)];
    const records = new Map<number, StoredRecord>();
    for (const [index, state] of Object.entries(row.stored ?? {})) {
      const number = Number(index);
      const { listedOctets } = entries.find((one) => one.number === number) ?? entry(number);
      records.set(number, {
        ...{ state, key: uniqueIdKey(account, `id-${index}`) },
        ...{ contentHash: index.repeat(64), stamp: `1732184037.M00000${index}` },
        topHash: row.withoutTop?.includes(number) === true ? null : index.repeat(32),
        listedOctets: row.otherSize?.includes(number) === true ? '999' : listedOctets,
      });
    }
    const named = (number: number): string => nameOf(account, entry(number));
    const plan = planSession(
      {
        ...{ entries, hasUniqueIds: true, ignoredLines: 0, isCut: false, firstUniqueId: null },
      },
      new AlreadyStored(account, [...records.values()], [], true),
      {
        ...{ isSettlingOnly: false, mayPipeline: true, hasCulprit: false },
        suspects: new Map(
          Object.entries(row.suspects ?? {}).map(([number, count]) => [
            named(Number(number)),
            count,
          ]),
        ),
        excluded: new Set(row.excluded?.map(named)),
        ...row.course,
      },
      {
        ...{ account, isKept: () => false, maxOctets: 1000, hasTop: true },
        isStoredInThisRun: (record) =>
          row.ofThisRun?.some((number) => records.get(number) === record) ?? false,
        ...row.context,
      },
    );
    t.same(
      {
        known: numbers(plan.known),
        deletable: numbers(plan.deletable),
        doubted: numbers(plan.doubted.keys()),
        wanted: numbers(plan.wanted),
        tooLarge: numbers(plan.tooLarge),
        ...{ isOneByOne: plan.isOneByOne, hasMore: plan.hasMore },
      },
      {
        ...{ known: [], deletable: [], doubted: [], wanted: [], tooLarge: [] },
        ...{ isOneByOne: false, hasMore: false, ...row.expected },
      },
    );
    for (const [one, record] of plan.records) t.equal(records.get(one.number), record);
    t.end();
  });
}

t.test(
  'a message has one name in every session: by its unique-id, else by number and size',
  (t) => {
    t.equal(nameOf(account, entry(1, 10, 'x')), nameOf(account, entry(2, 99, 'x')));
    t.not(nameOf(account, entry(1, 10, 'x')), nameOf('bob@example.org', entry(1, 10, 'x')));
    t.equal(nameOf(account, entry(1, 10, null)), nameOf(account, entry(1, 10, null)));
    t.not(nameOf(account, entry(1, 10, null)), nameOf(account, entry(2, 10, null)));
    t.not(nameOf(account, entry(1, 10, null)), nameOf(account, entry(1, 11, null)));
    t.match(nameOf(account, entry(1)), /^[0-9a-f]{32}$/);
    t.end();
  },
);
