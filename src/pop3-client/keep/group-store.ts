// Groups of messages from tmp into new, so that one directory sync and one journal sync serve many.
// A group is committed only when its replies are verified, or when the server refuses to say more.
// Order: links, sync of new, journal, sync of the journal, and then tmp is cleared. Without
// link(2): journal, renames, sync of new, journal.

import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { placeInNew, removeTmp, syncDirectory, type Placing } from '../../maildir/deliver.js';
import { hostPart, StampSource } from '../../maildir/unique-name.js';
import { reasonOf, StoreFailure } from '../settings/failures.js';
import type { Journal } from '../journal/journal.js';
import type { StoredRecord } from '../journal/journal-format.js';
import type { Entry } from '../talk/listing.js';
import { deliveredKey, uniqueIdKey } from '../journal/message-key.js';
import type { MessageIdentity } from './message-identity.js';
import { MessageWriter } from './message-writer.js';
import { formatDeliveredName, formatTmpName } from './delivered-name.js';
import type { HeldMessage } from './recovery.js';
import type { Memory, StoredMessages } from './stored-messages.js';

/** A message that was read whole and is being made durable. */
export interface Arrival {
  readonly entry: Entry;
  readonly octets: number;
  readonly stamp: string;
  readonly writer: MessageWriter;
  /** Never rejects unhandled: whoever awaits it gets the StoreFailure. */
  readonly finished: Promise<MessageIdentity>;
}

/** Called for each message once it is safe, with whether it was new. */
export type OnStored = (arrival: Arrival, record: StoredRecord, isNew: boolean) => void;

/** A file in tmp, and what the journal is to say of it. */
interface Settled {
  readonly tmpName: string;
  readonly record: StoredRecord;
  readonly memory: Memory;
}

export interface GroupStoreOptions {
  readonly maildir: string;
  readonly account: string;
  readonly placing: Placing;
  readonly journal: Journal;
  readonly storedMessages: StoredMessages;
  readonly traceHeader: (stamp: string) => Buffer;
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
  readonly #unfinished = new Set<Promise<unknown>>();
  #unfinishedOctets = 0;
  #commits: Promise<void> = Promise.resolve();

  constructor(options: GroupStoreOptions) {
    this.#options = options;
  }

  begin(entry: Entry): { readonly writer: MessageWriter; readonly stamp: string } {
    const { maildir, account, traceHeader } = this.#options;
    const stamp = this.#stamps.next();
    const tmpName = formatTmpName(stamp, account, this.#keyOf(entry), this.#host);
    return { writer: new MessageWriter(maildir, tmpName, traceHeader(stamp)), stamp };
  }

  /** Starts making a message durable; resolves when there is room for another. */
  async accept(
    entry: Entry,
    begun: { readonly writer: MessageWriter; readonly stamp: string },
    octets: number,
  ): Promise<Arrival> {
    const finished = begun.writer.finish();
    const settled = finished.then(
      () => undefined,
      () => undefined,
    );
    this.#unfinished.add(settled);
    this.#unfinishedOctets += octets;
    void settled.then(() => {
      this.#unfinished.delete(settled);
      this.#unfinishedOctets -= octets;
    });
    while (
      this.#unfinished.size >= maxUnfinishedFiles ||
      (this.#unfinished.size > 1 && this.#unfinishedOctets > maxUnfinishedOctets)
    ) {
      await Promise.race(this.#unfinished);
    }
    return { entry, octets, finished, ...begun };
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
    const failures: unknown[] = [];
    const settled = held.map(({ tmpName, record }): Settled => {
      const identity = { ...record, topHash: record.topHash ?? '', wholeHash: null };
      const memory = this.#options.storedMessages.takeFetched(record.key, identity);
      return { tmpName, record, memory };
    });
    const recorded = await this.#deliver(settled, failures);
    this.#throwFirst(failures);
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
    const { storedMessages } = this.#options;
    const failures: unknown[] = [];
    const settled: Settled[] = [];
    const arrivals = new Map<string, Arrival>();
    for (const arrival of group) {
      const { entry, stamp, writer } = arrival;
      try {
        const identity = await arrival.finished;
        const { contentHash, topHash } = identity;
        const key = this.#keyOf(entry);
        const memory = storedMessages.takeFetched(key, identity);
        const record: StoredRecord = {
          ...{ key, contentHash, topHash, listedOctets: entry.listedOctets, stamp },
          // The same octets came twice in different sessions: that settles a doubt.
          state: memory.kind === 'journal' ? 'stored' : state,
        };
        settled.push({ tmpName: writer.tmpName, record, memory });
        arrivals.set(stamp, arrival);
      } catch (error) {
        failures.push(error);
      }
    }
    for (const { record, memory } of await this.#deliver(settled, failures)) {
      const arrival = arrivals.get(record.stamp);
      if (arrival !== undefined) onStored(arrival, record, memory.kind === 'nowhere');
    }
    this.#throwFirst(failures);
  }

  /**
   * @param failures gets what went wrong.
   * @returns those that are in the Maildir and recorded; tmp has none of the others
   */
  async #deliver(settled: readonly Settled[], failures: unknown[]): Promise<readonly Settled[]> {
    const { journal, placing } = this.#options;
    const fresh = settled.filter(({ memory }) => memory.kind === 'nowhere');
    let present: Settled[] = [];
    try {
      if (placing === 'rename') {
        const state = 'storing';
        await journal.addRecords(fresh.map(({ record }) => ({ ...record, state })));
      }
      present = settled.filter((one) => {
        try {
          if (one.memory.kind === 'nowhere') this.#place(one);
          return true;
        } catch (error) {
          failures.push(error);
          return false;
        }
      });
    } catch (error) {
      failures.push(error);
    }
    const recorded = await this.#record(present, failures);
    // What is left in tmp is rubbish now, which the next run removes if we cannot. What was taken
    // back is removed already.
    const withdrawn = new Set(present.slice(recorded.length));
    for (const one of settled) if (!withdrawn.has(one)) this.#removeTmp(one);
    return recorded;
  }

  #throwFirst(failures: readonly unknown[]): void {
    if (failures.length === 0) return;
    throw new StoreFailure(`cannot store messages: ${reasonOf(failures[0])}`);
  }

  /**
   * Makes links and records durable. A disk may have room for messages and none for their records:
   * then messages are taken back until it has. Left in new without a record they would be fetched
   * again once somebody has read and deleted them.
   *
   * @param failures gets what went wrong
   * @returns those that are durable and recorded
   */
  async #record(present: readonly Settled[], failures: unknown[]): Promise<readonly Settled[]> {
    const { maildir, journal } = this.#options;
    let kept = present;
    for (;;) {
      try {
        if (kept.some(({ memory }) => memory.kind === 'nowhere')) {
          await syncDirectory(join(maildir, 'new'));
        }
        await journal.addRecords(
          kept.filter(({ memory }) => memory.kind !== 'journal').map(({ record }) => record),
        );
        return kept;
      } catch (error) {
        failures.push(error);
        const half = Math.floor(kept.length / 2);
        for (const one of kept.slice(half)) this.#withdraw(one);
        kept = kept.slice(0, half);
      }
    }
  }

  /** Takes a message out of new again. One that a reader has moved already keeps its tmp file. */
  #withdraw(one: Settled): void {
    try {
      if (one.memory.kind === 'nowhere') {
        unlinkSync(join(this.#options.maildir, 'new', this.#deliveredName(one)));
      }
      this.#removeTmp(one);
    } catch {
      // It stays for the next run.
    }
  }

  #removeTmp({ tmpName }: { readonly tmpName: string }): void {
    try {
      removeTmp(this.#options.maildir, tmpName);
    } catch {
      // It stays for the next run.
    }
  }

  #place(one: Settled): void {
    const { maildir, placing } = this.#options;
    placeInNew(maildir, placing, one.tmpName, this.#deliveredName(one));
  }

  #deliveredName({ record }: Settled): string {
    const delivered = deliveredKey(this.#options.account, record.key, record.contentHash);
    return formatDeliveredName(record.stamp, delivered, this.#host);
  }

  #keyOf(entry: Entry): string | null {
    return entry.uniqueId === null ? null : uniqueIdKey(this.#options.account, entry.uniqueId);
  }
}
