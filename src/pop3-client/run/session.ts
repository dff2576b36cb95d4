// One session in TRANSACTION: list, recognise, fetch, settle. What it could not do it reports; the
// run decides what next.

import { formatCommandLine } from '../../wire/command-line.js';
import type { Delivery } from '../keep/delivery.js';
import { GroupStore } from '../keep/group-store.js';
import type { Journal } from '../journal/journal.js';
import type { StoredRecord } from '../journal/journal-format.js';
import { uniqueIdKey } from '../journal/message-key.js';
import type { HeldMessage } from '../keep/recovery.js';
import { AlreadyStored } from '../keep/already-stored.js';
import { StoreFailure } from '../settings/failures.js';
import type { Settings } from '../settings/settings.js';
import type { Capabilities } from '../talk/client.js';
import { readMailbox, requestMailbox, type Entry, type MailboxListing } from '../talk/listing.js';
import type { Experience } from '../talk/experience.js';
import type { OpenSession } from '../talk/open-session.js';
import { chooseProbe } from '../talk/probe.js';
import { checkListed } from './check-listed.js';
import { download } from './download.js';
import type { Emit, RunEvent } from './events.js';
import { judgeByContent, judgeByListing } from './held-in-tmp.js';
import { SessionBroken } from './session-broken.js';
import { planSession, type Course } from './session-plan.js';
import { settle, type Settlement } from './settle.js';

export interface SessionOptions {
  readonly settings: Settings;
  readonly session: OpenSession;
  readonly experience: Experience;
  readonly journal: Journal;
  readonly delivery: Delivery;
  /** The names in new and cur when the run began. */
  readonly deliveredNames: readonly string[];
  readonly held: readonly HeldMessage[];
  readonly course: Course;
  readonly traceHeader: (stamp: string) => Buffer;
  readonly emit: Emit;
}

export interface SessionResult {
  readonly listing: MailboxListing;
  readonly settlement: Settlement;
  /** What the journal must go on to say, once QUIT is answered: stored, and still on the server. */
  readonly remaining: readonly StoredRecord[];
  /** How many messages are left on the server on purpose. */
  readonly keptCount: number;
  /** Messages that came through: suspects no longer. Empty where there were no suspects. */
  readonly cleared: ReadonlySet<Entry>;
  /** Stored, but the server did not show that it was in step; it may have taken RETR for DELE. */
  readonly doubtful: ReadonlySet<Entry>;
  /** Held messages of which nothing is known yet. */
  readonly held: readonly HeldMessage[];
  /** Whether messages are left for another session. */
  readonly hasMore: boolean;
}

/** @throws SessionBroken when the server ended it; StoreFailure when this end did */
export async function runSession(options: SessionOptions): Promise<SessionResult> {
  const { session, course, experience } = options;
  const listed = await list(session, course.mayPipeline && experience.mayPipeline);
  const { listing, mayPipeline: hasPipelined, capabilities } = listed;
  if (capabilities.size > 0) experience.noteLoginDelay(capabilities);
  try {
    return await transfer(options, listed);
  } catch (error) {
    if (error instanceof StoreFailure) throw error;
    const broken = error instanceof SessionBroken ? error : new SessionBroken(error);
    throw broken.with({ listing, hasPipelined });
  }
}

async function transfer(
  { settings, session, journal, course, emit, ...options }: SessionOptions,
  { listing, mayPipeline, capabilities }: Listed,
): Promise<SessionResult> {
  const { client } = session;
  const { account, maildir, maxOctets } = settings;
  const isKept = keeping(settings);
  const { records: allRecords, existed } = journal.content;
  const alreadyStored = new AlreadyStored(
    account,
    relevantRecords([...allRecords.values()], listing, account),
    options.deliveredNames,
    existed,
  );
  const { traceHeader, delivery } = options;
  const store = new GroupStore({
    ...{ maildir, account, alreadyStored, traceHeader, delivery },
    onLeft: (entry, reason) => emit({ kind: 'left', entry, reason }),
  });
  const { entries, ignoredLines } = listing;
  const expireDays = expireDaysOf(capabilities);
  // A server without CAPA may have TOP all the same.
  const hasTop = capabilities.size === 0 || capabilities.has('TOP');
  if (expireDays !== null) emit({ kind: 'expire', days: expireDays });
  emit({ kind: 'listing', messages: entries.length, ignoredLines });
  const held = judgeByListing(options.held, listing, account);
  store.dropHeld(held.listed);
  await deliverHeld(store, held.gone, emit);

  const plan = planSession(listing, alreadyStored, course, {
    ...{ account, isKept, maxOctets, hasTop },
    isStoredInThisRun: (record) => journal.hasAdded(record),
  });
  for (const entry of plan.tooLarge) {
    emit({ kind: 'left', entry, reason: `larger than ${maxOctets} octets: see --limit` });
  }
  const confirmed =
    plan.doubted.size === 0
      ? new Set<Entry>()
      : await checkListed(client, plan.doubted, mayPipeline, maxOctets);
  const known = new Set([...plan.known, ...confirmed]);
  const records = new Map(plan.records);
  for (const entry of known) {
    const record = records.get(entry);
    if (record === undefined) continue;
    alreadyStored.take(record);
    records.set(entry, { ...record, listedOctets: entry.listedOctets });
    if (!journal.hasAdded(record)) emit(knownEvent(record));
  }
  const differing = course.isSettlingOnly
    ? []
    : [...plan.doubted.keys()].filter((entry) => !confirmed.has(entry));
  const wanted = [...plan.wanted, ...differing].sort((a, b) => a.number - b.number);
  const octets = wanted.reduce((sum, entry) => sum + entry.expectedOctets, 0);
  emit({ kind: 'plan', messages: wanted.length, octets });
  const stored = new Map<Entry, StoredRecord>();
  const [first] = wanted;
  if (first !== undefined) {
    await download(wanted, {
      ...{ client, store, mayPipeline, maxOctets, emit, isOneByOne: plan.isOneByOne },
      probe: await chooseProbe(client, first, listing),
      onStored: (arrival, record, isNew) => {
        stored.set(arrival.entry, record);
        records.delete(arrival.entry);
        emit(isNew ? { kind: 'stored', octets: arrival.octets } : knownEvent(record));
      },
    });
  }
  const isComplete = listing.entries.every((entry) => known.has(entry) || stored.has(entry));
  const left = judgeByContent(held.open, [...records.values(), ...stored.values()], isComplete);
  store.dropHeld(left.listed);
  await deliverHeld(store, left.gone, emit);

  const doubtful = new Set<Entry>();
  for (const [entry, { state }] of stored) if (state === 'doubtful') doubtful.add(entry);
  const isKeptEntry = (entry: Entry): boolean => {
    const record = stored.get(entry) ?? records.get(entry);
    return record !== undefined && isKept(record);
  };
  const doomed = [...plan.deletable, ...confirmed, ...stored.keys()]
    .filter((entry) => !doubtful.has(entry) && !isKeptEntry(entry))
    .sort((a, b) => a.number - b.number);
  // The last look before anything is deleted.
  client.expectSilence();
  const settlement = await settle(client, doomed, mayPipeline, (entry, reason) =>
    emit({ kind: 'left', entry, reason: `stored, but the server does not delete it: ${reason}` }),
  );
  client.end();
  for (const entry of settlement.marked) if (!stored.delete(entry)) records.delete(entry);
  const kept = [...records.values(), ...stored.values()];
  return {
    ...{ listing, settlement, doubtful, held: left.open, hasMore: plan.hasMore },
    cleared:
      course.suspects.size === 0
        ? new Set()
        : new Set([...settlement.marked, ...[...known, ...stored.keys()].filter(isKeptEntry)]),
    keptCount: kept.length - doubtful.size,
    // A record without unique-id may be that of a message which this session did not fetch.
    remaining: isComplete ? kept : [...new Set([...kept, ...alreadyStored.rest()])],
  };
}

/**
 * What `--keep` says of a record, from now on. What another client fetched stays in any case:
 * before a message is deleted it is compared with what was stored, and that was not stored here.
 */
export function keeping({
  keep,
  keepSeconds,
}: Pick<Settings, 'keep' | 'keepSeconds'>): (record: StoredRecord) => boolean {
  const storedBefore = Date.now() / 1000 - (keepSeconds ?? Infinity);
  return ({ state, stamp }) =>
    state === 'imported' || (keep && Number.parseInt(stamp, 10) > storedBefore);
}

function knownEvent({ key, contentHash }: StoredRecord): RunEvent {
  return { kind: 'known', id: `${key ?? ''} ${contentHash}` };
}

async function deliverHeld(
  store: GroupStore,
  held: readonly HeldMessage[],
  emit: Emit,
): Promise<void> {
  if (held.length === 0) return;
  const count = await store.deliverHeld(held);
  for (let done = 0; done < count; done += 1) emit({ kind: 'stored', octets: 0 });
}

interface Listed {
  readonly listing: MailboxListing;
  readonly mayPipeline: boolean;
  /** As they are after the login: RFC 2449 §5 lets them change. */
  readonly capabilities: Capabilities;
}

/** The listing, and whether to pipeline. */
async function list(
  { client, capabilities: before }: OpenSession,
  isAllowed: boolean,
): Promise<Listed> {
  let hasPipelined = isAllowed && before.has('PIPELINING');
  try {
    client.expectSilence();
    if (hasPipelined) {
      client.send(formatCommandLine('CAPA'));
      requestMailbox(client, true);
      const capabilities = await client.readCapabilityReply();
      const listing = await readMailbox(client, true);
      return { listing, mayPipeline: capabilities.has('PIPELINING'), capabilities };
    }
    const capabilities = before.size === 0 ? before : await client.readCapabilities();
    hasPipelined = isAllowed && capabilities.has('PIPELINING');
    client.expectSilence();
    requestMailbox(client, hasPipelined);
    const listing = await readMailbox(client, hasPipelined);
    return { listing, mayPipeline: hasPipelined, capabilities };
  } catch (error) {
    throw new SessionBroken(error, { hasPipelined });
  }
}

/** RFC 2449 §6.7. Null when the server does not say. */
function expireDaysOf(capabilities: Capabilities): number | null {
  const [days = ''] = capabilities.get('EXPIRE') ?? [];
  if (/^never$/i.test(days)) return Infinity;
  return /^[0-9]{1,6}$/.test(days) ? Number(days) : null;
}

/** Records of unique-ids that are no longer listed have served: the server removed the messages. */
export function relevantRecords(
  records: readonly StoredRecord[],
  listing: MailboxListing,
  account: string,
): readonly StoredRecord[] {
  if (!listing.hasUniqueIds || records.length === 0) return records;
  const listed = new Set(
    listing.entries.flatMap(({ uniqueId }) =>
      uniqueId === null ? [] : [uniqueIdKey(account, uniqueId)],
    ),
  );
  const isAmbiguous = listing.entries.some(({ uniqueId }) => uniqueId === null);
  // With messages that have no unique-id of their own, any record may be one of theirs.
  return isAmbiguous ? records : records.filter(({ key }) => key === null || listed.has(key));
}
