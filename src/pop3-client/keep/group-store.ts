// Groups of messages out of tmp, so that one sync of the journal serves many. A group is committed
// only when its replies are verified, or when the server refuses to say more. Where messages go
// from tmp, and in which order that is recorded, is the delivery's.

import { removeTmp } from '../../maildir/deliver.js';
import { hostPart, StampSource } from '../../maildir/unique-name.js';
import { reasonOf, StoreFailure } from '../settings/failures.js';
import type { StoredRecord } from '../journal/journal-format.js';
import type { Entry } from '../talk/listing.js';
import { accountTag, uniqueIdKey } from '../journal/message-key.js';
import type { MessageIdentity } from './message-identity.js';
import { MessageWriter, roomOctets } from './message-writer.js';
import { formatTmpName } from './delivered-name.js';
import type { Delivery, Settled } from './delivery.js';
import type { HeldMessage } from './recovery.js';
import type { AlreadyStored } from './already-stored.js';

/** A message of which a part may have come. */
interface Begun {
  readonly entry: Entry;
  /** What `uniqueIdKey` gives; null without a unique-id. */
  readonly key: string | null;
  readonly stamp: string;
  readonly writer: MessageWriter;
}

/** A message that was read whole and is being made durable. */
export interface Arrival extends Begun {
  readonly octets: number;
  /** Never rejects unhandled: whoever awaits it gets the StoreFailure. */
  readonly finished: Promise<MessageIdentity>;
}

/** Called for each message once it is safe, with whether it was new. */
export type OnStored = (arrival: Arrival, record: StoredRecord, isNew: boolean) => void;

/** Called for each message that the delivery did not take, with the reason. */
export type OnLeft = (entry: Entry, reason: string) => void;

export interface GroupStoreOptions {
  readonly maildir: string;
  readonly account: string;
  readonly delivery: Delivery;
  readonly alreadyStored: AlreadyStored;
  readonly traceHeader: (stamp: string) => Buffer;
  readonly onLeft: OnLeft;
}

/**
 * Octets of files being made durable at a time; beyond that nothing more is read from the server.
 */
const maxUnfinishedOctets = 8 * 1024 * 1024;
const maxUnfinishedFiles = 256;

export class GroupStore {
  readonly #options: GroupStoreOptions;
  readonly #stamps = new StampSource();
  readonly #host = hostPart();
  readonly #tag: string;
  readonly #room = Buffer.allocUnsafe(roomOctets);
  readonly #unfinished = new Set<Promise<unknown>>();
  #unfinishedOctets = 0;
  #commits: Promise<void> = Promise.resolve();
  /** What went wrong; after the first of them nothing more is written. */
  readonly #failures: unknown[] = [];

  constructor(options: GroupStoreOptions) {
    this.#options = options;
    this.#tag = accountTag(options.account);
  }

  begin(entry: Entry): Begun {
    const { maildir, account, traceHeader } = this.#options;
    const key = entry.uniqueId === null ? null : uniqueIdKey(account, entry.uniqueId);
    const stamp = this.#stamps.next();
    const tmpName = formatTmpName(stamp, this.#tag, key, this.#host);
    const writer = new MessageWriter(maildir, tmpName, traceHeader(stamp), this.#room, () =>
      this.#failure(),
    );
    return { entry, key, stamp, writer };
  }

  /** Starts making a message durable; resolves when there is room for another. */
  async accept(begun: Begun, octets: number): Promise<Arrival> {
    const finished = begun.writer.finish();
    const leave = (): void => {
      this.#unfinished.delete(settled);
      this.#unfinishedOctets -= octets;
    };
    const settled: Promise<void> = finished.then(leave, (error: unknown) => {
      this.#failures.push(error);
      leave();
    });
    this.#unfinished.add(settled);
    this.#unfinishedOctets += octets;
    while (
      this.#unfinished.size >= maxUnfinishedFiles ||
      (this.#unfinished.size > 1 && this.#unfinishedOctets > maxUnfinishedOctets)
    ) {
      await Promise.race(this.#unfinished);
    }
    const { entry, key, stamp, writer } = begun;
    return { entry, key, stamp, writer, octets, finished };
  }

  /**
   * Commits a group after those before it.
   *
   * @param state what the journal says of the messages: `doubtful` when the server did not show
   *   that it was in step
   * @throws StoreFailure when some were not stored; those that were are recorded all the same
   */
  async commit(
    group: readonly Arrival[],
    state: 'stored' | 'doubtful',
    onStored: OnStored,
  ): Promise<void> {
    const commit = this.#commits.then(() => this.#commitNow(group, state, onStored));
    this.#commits = commit.catch(() => undefined);
    await commit;
  }

  /**
   * Waits for what was read whole and not committed. It stays in tmp: the next session shows
   * whether the server still has it.
   */
  async hold(group: readonly Arrival[]): Promise<void> {
    for (const { finished } of group) await finished.catch(() => undefined);
  }

  /** Removes what was never committed, as far as the disk lets it. */
  async discard(group: readonly Arrival[]): Promise<void> {
    await this.hold(group);
    for (const { writer } of group) writer.discard();
  }

  /**
   * Delivers what an earlier session left in tmp and the server no longer has. Throws as `commit`.
   *
   * @returns how many of them were new
   */
  async deliverHeld(held: readonly HeldMessage[]): Promise<number> {
    const settled = held.map(({ tmpName, record }): Settled => {
      const identity = { ...record, topHash: record.topHash ?? '', wholeHash: null };
      const memory = this.#options.alreadyStored.takeFetched(record.key, identity);
      return { tmpName, record, memory, hasOtherCopy: false };
    });
    const { recorded, left } = await this.#options.delivery.deliver(settled, this.#failures);
    // The server has no other copy: they wait in tmp for the next run.
    for (const { reason } of left)
      this.#failures.push(new StoreFailure(`${reason}; it waits in tmp`));
    this.#throwFirst();
    return recorded.filter(({ memory }) => memory.kind === 'nowhere').length;
  }

  /** Removes what an earlier session left in tmp and the server still has. */
  dropHeld(held: readonly HeldMessage[]): void {
    for (const one of held) this.#removeTmp(one);
  }

  async #commitNow(
    group: readonly Arrival[],
    state: 'stored' | 'doubtful',
    onStored: OnStored,
  ): Promise<void> {
    const { alreadyStored } = this.#options;
    const settled: Settled[] = [];
    const arrivals = new Map<string, Arrival>();
    for (const arrival of group) {
      const { entry, key, stamp, writer } = arrival;
      const identity = await arrival.finished.catch(() => null);
      if (identity === null) continue;
      const { contentHash, topHash } = identity;
      const memory = alreadyStored.takeFetched(key, identity);
      // Without `...`: each object that is spread and then added to has a shape of its own.
      const record: StoredRecord = {
        // The same octets came twice in different sessions: that settles a doubt.
        state: memory.kind === 'journal' ? 'stored' : state,
        key,
        contentHash,
        topHash,
        listedOctets: entry.listedOctets,
        stamp,
      };
      settled.push({
        tmpName: writer.tmpName,
        record,
        memory,
        hasOtherCopy: record.state !== 'doubtful',
      });
      arrivals.set(stamp, arrival);
    }
    const { recorded, left } = await this.#options.delivery.deliver(settled, this.#failures);
    for (const { record, memory } of recorded) {
      const arrival = arrivals.get(record.stamp);
      if (arrival !== undefined) onStored(arrival, record, memory.kind === 'nowhere');
    }
    for (const { settled: one, reason } of left) {
      const arrival = arrivals.get(one.record.stamp);
      if (arrival !== undefined) this.#options.onLeft(arrival.entry, reason);
    }
    this.#throwFirst();
  }

  #throwFirst(): void {
    const failure = this.#failure();
    if (failure !== null) throw failure;
  }

  #failure(): StoreFailure | null {
    const [first] = this.#failures;
    return first === undefined
      ? null
      : new StoreFailure(`cannot store messages: ${reasonOf(first)}`, { cause: first });
  }

  #removeTmp({ tmpName }: { readonly tmpName: string }): void {
    try {
      removeTmp(this.#options.maildir, tmpName);
    } catch {
      // It stays for the next run.
    }
  }
}
