// One session in TRANSACTION: list, recognise, fetch, settle. What it could not do it reports; the run decides what next.

import { formatCommandLine } from '../../wire/command-line.js';
import { download, type DownloadState } from './download.js';
import { GroupStore } from '../keep/group-store.js';
import type { Journal, JournalContent } from '../keep/journal.js';
import type { StoredRecord } from '../keep/journal-format.js';
import { readListing, requestListing, type Entry, type MailboxListing } from '../talk/listing.js';
import { uniqueIdKey } from '../keep/message-key.js';
import type { OpenSession } from '../talk/open-session.js';
import { chooseProbe } from '../talk/probe.js';
import { settle, type Settlement } from './settle.js';
import type { Settings } from '../settings/settings.js';
import { StoredMessages } from '../keep/stored-messages.js';

export interface SessionWatcher {
  /** After the listing: how many messages and octets will be fetched. */
  onPlan(messages: number, octets: number): void;
  onOctets(octets: number): void;
  onStored(entry: Entry, octets: number, isNew: boolean): void;
  onFailed(entry: Entry, reason: string): void;
}

export interface SessionOptions {
  readonly settings: Settings;
  readonly session: OpenSession;
  readonly journal: Journal;
  readonly content: JournalContent;
  /** The names in new and cur when the run began. */
  readonly deliveredNames: readonly string[];
  /** Fetch nothing: only delete what was stored before. After a failure of this end. */
  readonly settleOnly: boolean;
  /** Messages to fetch last, each with a probe of its own, by `nameOf`; the value says how suspect. */
  readonly suspects: ReadonlyMap<string, number>;
  /** Messages not to fetch in this run, by `nameOf`. */
  readonly excluded: ReadonlySet<string>;
  /** Whether commands may go ahead of replies where the server announces that it takes them. */
  readonly mayPipeline: boolean;
  readonly traceHeader: (stamp: string) => Buffer;
  readonly watcher: SessionWatcher;
}

export interface SessionResult {
  readonly listing: MailboxListing;
  /** Recognised without fetching. */
  readonly known: readonly Entry[];
  readonly settlement: Settlement;
  /** What the journal must go on to say, once QUIT is answered: stored, and still on the server. */
  readonly remaining: readonly StoredRecord[];
}

/** What a session knows when it breaks off. */
export interface SessionState extends DownloadState {
  listing: MailboxListing | null;
  /** Whether commands were sent ahead of replies. */
  hasPipelined: boolean;
}

/** A name for a message that holds in the next session too, as far as the server lets it. */
export function nameOf(account: string, entry: Entry): string {
  return entry.uniqueId === null ? `#${entry.number}` : uniqueIdKey(account, entry.uniqueId);
}

/** @throws what `download`, `readListing` and the journal throw; `state` then holds what was found out */
export async function runSession(
  options: SessionOptions,
  state: SessionState,
): Promise<SessionResult> {
  const { settings, session, journal, content, suspects, watcher } = options;
  const { client } = session;
  const { account, maildir } = settings;
  const { listing, mayPipeline } = await list(session, options.mayPipeline, state);
  state.listing = listing;
  const storedMessages = new StoredMessages(
    account,
    relevantRecords(content.stored, listing, account),
    options.deliveredNames,
    content.existed,
  );
  // Names are hashes: they are made only when there is something to compare them with.
  const isExcluded = (entry: Entry): boolean =>
    options.excluded.size > 0 && options.excluded.has(nameOf(account, entry));
  const known = new Map<Entry, StoredRecord>();
  const stored = new Map<Entry, StoredRecord>();
  const wanted: Entry[] = [];
  for (const entry of listing.entries) {
    const record = storedMessages.takeListed(entry);
    if (record !== null) {
      known.set(entry, record);
    } else if (options.settleOnly || isExcluded(entry)) {
      continue;
    } else if (entry.expectedOctets > settings.maxOctets) {
      watcher.onFailed(entry, `larger than ${settings.maxOctets} octets: see --limit`);
    } else {
      wanted.push(entry);
    }
  }
  watcher.onPlan(
    wanted.length,
    wanted.reduce((sum, entry) => sum + entry.expectedOctets, 0),
  );
  const [first] = wanted;
  if (first !== undefined) {
    const weights = weigh(wanted, suspects, account);
    const weight = (entry: Entry): number => weights.get(entry) ?? 0;
    const ordered = [...wanted].sort((a, b) => weight(a) - weight(b) || a.number - b.number);
    const alone = new Set(weights.keys());
    const store = new GroupStore({
      maildir,
      account,
      journal,
      storedMessages,
      traceHeader: options.traceHeader,
    });
    const probe = await chooseProbe(client, first, listing);
    await download(
      ordered,
      alone,
      {
        client,
        store,
        probe,
        mayPipeline,
        maxOctets: settings.maxOctets,
        onStored: ({ entry, octets }, record, isNew) => {
          stored.set(entry, record);
          watcher.onStored(entry, octets, isNew);
        },
        onRefused: (entry, reason) => watcher.onFailed(entry, `the server: ${reason}`),
        onOctets: (octets) => watcher.onOctets(octets),
      },
      state,
    );
  }
  const records = new Map([...known, ...stored]);
  const doomed = settings.keep ? [] : [...records.keys()].sort((a, b) => a.number - b.number);
  // The last look before anything is deleted.
  client.expectSilence();
  const settlement = await settle(client, doomed, mayPipeline, (entry, reason) =>
    watcher.onFailed(entry, `stored, but the server does not delete it: ${reason}`),
  );
  client.end();
  for (const entry of settlement.marked) records.delete(entry);
  return { listing, known: [...known.keys()], settlement, remaining: [...records.values()] };
}

/** How suspect each message is, those that are not at all left out. */
function weigh(
  entries: readonly Entry[],
  suspects: ReadonlyMap<string, number>,
  account: string,
): ReadonlyMap<Entry, number> {
  const weights = new Map<Entry, number>();
  if (suspects.size === 0) return weights;
  for (const entry of entries) {
    const weight = suspects.get(nameOf(account, entry)) ?? 0;
    if (weight > 0) weights.set(entry, weight);
  }
  return weights;
}

/** The listing, and whether to pipeline, by the capabilities as they are after the login: RFC 2449 §5 lets them change. */
async function list(
  { client, capabilities: before }: OpenSession,
  isAllowed: boolean,
  state: SessionState,
): Promise<{ readonly listing: MailboxListing; readonly mayPipeline: boolean }> {
  client.expectSilence();
  if (isAllowed && before.has('PIPELINING')) {
    state.hasPipelined = true;
    client.send(formatCommandLine('CAPA'));
    requestListing(client, true);
    const capabilities = await client.readCapabilityReply();
    const listing = await readListing(client, true);
    return { listing, mayPipeline: capabilities.has('PIPELINING') };
  }
  const capabilities = before.size === 0 ? before : await client.readCapabilities();
  const mayPipeline = isAllowed && capabilities.has('PIPELINING');
  state.hasPipelined = mayPipeline;
  client.expectSilence();
  requestListing(client, mayPipeline);
  return { mayPipeline, listing: await readListing(client, mayPipeline) };
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
