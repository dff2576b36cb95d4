// What one session does with each listed message. Messages that ended sessions before are suspects:
// a session never has them and others to deal with, so that what is good is stored, deleted and
// settled by QUIT first. Pure.

import type { StoredRecord } from '../journal/journal-format.js';
import { uniqueIdKey } from '../journal/message-key.js';
import type { AlreadyStored } from '../keep/already-stored.js';
import type { Entry, MailboxListing } from '../talk/listing.js';

/** What a run wants of its next session. */
export interface Course {
  /** Fetch nothing: only delete what was stored before. After a failure of this end. */
  readonly isSettlingOnly: boolean;
  /** Whether commands may go ahead of replies where the server announces that it takes them. */
  readonly mayPipeline: boolean;
  /** By `nameOf`, how often a session ended at this message. */
  readonly suspects: ReadonlyMap<string, number>;
  /** Messages not to deal with any more in this run, by `nameOf`. */
  readonly excluded: ReadonlySet<string>;
  /**
   * Whether the run found a message that is to blame: the other suspects are probably good then.
   */
  readonly hasCulprit: boolean;
}

export interface PlanContext {
  readonly account: string;
  /** Whether what is stored stays on the server: for good, or for this record still. */
  readonly isKept: (record: StoredRecord) => boolean;
  /** Larger messages are left. */
  readonly maxOctets: number;
  /** Whether the server can be asked for the top of a message. */
  readonly hasTop: boolean;
  readonly isStoredInThisRun: (record: StoredRecord) => boolean;
}

export interface SessionPlan {
  /** Records of all listed messages that have one. */
  readonly records: ReadonlyMap<Entry, StoredRecord>;
  /** Recognised: not to be fetched. */
  readonly known: ReadonlySet<Entry>;
  /** Those of them that this session deletes; with `keep` none. */
  readonly deletable: readonly Entry[];
  /** Recognised once their tops are compared; to be fetched when they differ. */
  readonly doubted: ReadonlyMap<Entry, StoredRecord>;
  /** To be fetched, in this order. */
  readonly wanted: readonly Entry[];
  readonly tooLarge: readonly Entry[];
  /** Whether those wanted are suspects, of which each is fetched alone. */
  readonly isOneByOne: boolean;
  /** Whether messages are left for a session after this one. */
  readonly hasMore: boolean;
}

/**
 * A name for a message that holds in the next session too, as far as the server lets it. 32 hex
 * digits.
 */
export function nameOf(account: string, { uniqueId, number, listedOctets }: Entry): string {
  // No unique-id begins with a blank.
  return uniqueIdKey(account, uniqueId ?? ` ${number} ${listedOctets ?? ''}`);
}

type Treatment = 'known' | 'check' | 'fetch';

export function planSession(
  { entries }: MailboxListing,
  stored: AlreadyStored,
  course: Course,
  context: PlanContext,
): SessionPlan {
  const { account, isKept, maxOctets } = context;
  const records = new Map<Entry, StoredRecord>();
  const known = new Set<Entry>();
  const tooLarge: Entry[] = [];
  const tasks: { entry: Entry; treatment: Treatment; weight: number }[] = [];
  // Names are hashes: they are made only when there is something to compare them with.
  const hasNames = course.suspects.size > 0 || course.excluded.size > 0;
  for (const entry of entries) {
    const record = stored.find(entry);
    if (record !== null) records.set(entry, record);
    const name = hasNames ? nameOf(account, entry) : '';
    const weight = course.suspects.get(name) ?? 0;
    const treatment = treat(entry, record, weight, context);
    if (treatment === 'known') known.add(entry);
    if (course.excluded.has(name) || (treatment === 'known' && record !== null && isKept(record)))
      continue;
    if (treatment === 'fetch') {
      if (course.isSettlingOnly) continue;
      if (entry.expectedOctets > maxOctets) {
        tooLarge.push(entry);
        continue;
      }
    }
    tasks.push({ entry, treatment, weight });
  }
  const lowest = tasks.reduce((least, { weight }) => Math.min(least, weight), Infinity);
  const first = tasks.filter(({ weight }) => weight === lowest);
  const isSuspect = first.length > 0 && lowest > 0;
  const deletable = first.filter(({ treatment }) => treatment === 'known');
  const now = isSuspect && !course.hasCulprit && deletable.length > 0 ? deletable : first;
  const doubted = new Map<Entry, StoredRecord>();
  for (const { entry, treatment } of now) {
    const record = records.get(entry);
    if (treatment === 'check' && record !== undefined) doubted.set(entry, record);
  }
  return {
    ...{ records, known, doubted, tooLarge, isOneByOne: isSuspect },
    deletable: deletable.map(({ entry }) => entry),
    wanted: now.flatMap(({ entry, treatment }) => (treatment === 'fetch' ? [entry] : [])),
    hasMore: now.length < tasks.length,
  };
}

function treat(
  entry: Entry,
  record: StoredRecord | null,
  weight: number,
  { isKept, hasTop, isStoredInThisRun }: PlanContext,
): Treatment {
  if (record === null || record.state === 'doubtful') return 'fetch';
  if (record.state === 'imported') return 'known';
  const { listedOctets, topHash } = record;
  const isSameSize = listedOctets === null || listedOctets === entry.listedOctets;
  // What is left on the server is not lost when a unique-id was given to another message.
  if (isSameSize && (isKept(record) || isStoredInThisRun(record))) return 'known';
  return hasTop && topHash !== null && weight === 0 ? 'check' : 'fetch';
}
