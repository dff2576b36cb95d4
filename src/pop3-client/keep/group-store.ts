// Groups of messages from tmp into new, so that one directory sync and one journal sync serve many. A group is committed
// only when its replies are verified. Order: links, sync of new, journal, sync of the journal, and then tmp is cleared.

import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { linkToNew, removeTmp, syncDirectory } from '../../maildir/deliver.js';
import { hostPart, StampSource } from '../../maildir/unique-name.js';
import { reasonOf, StoreFailure } from '../settings/failures.js';
import type { Journal } from './journal.js';
import type { StoredRecord } from './journal-format.js';
import type { Entry } from '../talk/listing.js';
import { deliveredKey, uniqueIdKey } from './message-key.js';
import { MessageWriter, type FinishedFile } from './message-writer.js';
import { formatDeliveredName, formatTmpName } from './recovery.js';
import type { StoredMessages } from './stored-messages.js';

/** A message that was read whole and is being made durable. */
export interface Arrival {
  readonly entry: Entry;
  readonly octets: number;
  readonly stamp: string;
  readonly writer: MessageWriter;
  /** Never rejects unhandled: whoever awaits it gets the StoreFailure. */
  readonly finished: Promise<FinishedFile>;
}

interface Settled {
  readonly arrival: Arrival;
  readonly record: StoredRecord;
  readonly memory: 'journal' | 'maildir' | 'nowhere';
}

export interface GroupStoreOptions {
  readonly maildir: string;
  readonly account: string;
  readonly journal: Journal;
  readonly storedMessages: StoredMessages;
  readonly traceHeader: (stamp: string) => Buffer;
}

/** Octets of files being made durable at a time; beyond that nothing more is read from the server. */
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
   * @param onStored for each message once it is safe, with whether it was new
   * @throws StoreFailure when some were not stored; those that were are recorded all the same
   */
  async commit(
    group: readonly Arrival[],
    onStored: (arrival: Arrival, record: StoredRecord, isNew: boolean) => void,
  ): Promise<void> {
    const commit = this.#commits.then(() => this.#commitNow(group, onStored));
    this.#commits = commit.catch(() => undefined);
    await commit;
  }

  /** Removes what was never committed, as far as the disk lets it. */
  async discard(group: readonly Arrival[]): Promise<void> {
    for (const { writer, finished } of group) {
      await finished.catch(() => undefined);
      writer.discard();
    }
  }

  async #commitNow(
    group: readonly Arrival[],
    onStored: (arrival: Arrival, record: StoredRecord, isNew: boolean) => void,
  ): Promise<void> {
    const { storedMessages } = this.#options;
    const failures: unknown[] = [];
    const settled: Settled[] = [];
    for (const arrival of group) {
      try {
        const { contentHash } = await arrival.finished;
        const key = this.#keyOf(arrival.entry);
        const { listedOctets } = arrival.entry;
        const record: StoredRecord = { key, contentHash, listedOctets, stamp: arrival.stamp };
        const memory = storedMessages.takeFetched(key, contentHash);
        settled.push({ arrival, record, memory });
      } catch (error) {
        failures.push(error);
      }
    }
    const present = settled.filter((one) => {
      try {
        this.#link(one);
        return true;
      } catch (error) {
        failures.push(error);
        return false;
      }
    });
    const recorded = await this.#record(present, failures);
    for (const { arrival, record, memory } of recorded) {
      onStored(arrival, record, memory === 'nowhere');
    }
    // What is left in tmp is rubbish now, which the next run removes if we cannot.
    const isRubbish = (one: Settled): boolean => recorded.includes(one) || !present.includes(one);
    for (const one of settled.filter(isRubbish)) this.#removeTmp(one);
    if (failures.length > 0) {
      throw new StoreFailure(`cannot store messages: ${reasonOf(failures[0])}`);
    }
  }

  /**
   * Makes links and records durable. A disk may have room for messages and none for their records: then messages are taken
   * back until it has. Left in new without a record they would be fetched again once somebody has read and deleted them.
   *
   * @param failures gets what went wrong
   * @returns those that are durable and recorded
   */
  async #record(present: readonly Settled[], failures: unknown[]): Promise<readonly Settled[]> {
    const { maildir, journal } = this.#options;
    let kept = present;
    for (;;) {
      try {
        if (kept.some(({ memory }) => memory === 'nowhere')) {
          await syncDirectory(join(maildir, 'new'));
        }
        await journal.addStored(
          kept.filter(({ memory }) => memory !== 'journal').map(({ record }) => record),
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

  /** Takes a message out of new again. One that a reader has moved already keeps its tmp file, by which the next run knows it. */
  #withdraw(one: Settled): void {
    try {
      if (one.memory === 'nowhere') {
        unlinkSync(join(this.#options.maildir, 'new', this.#deliveredName(one)));
      }
      this.#removeTmp(one);
    } catch {
      // It stays for the next run.
    }
  }

  #removeTmp({ arrival }: Settled): void {
    try {
      removeTmp(this.#options.maildir, arrival.writer.tmpName);
    } catch {
      // It stays for the next run.
    }
  }

  #link(one: Settled): void {
    if (one.memory !== 'nowhere') return;
    const { tmpName } = one.arrival.writer;
    linkToNew(this.#options.maildir, tmpName, this.#deliveredName(one));
  }

  #deliveredName({ arrival, record }: Settled): string {
    const delivered = deliveredKey(this.#options.account, record.key, record.contentHash);
    return formatDeliveredName(arrival.stamp, delivered, this.#host);
  }

  #keyOf(entry: Entry): string | null {
    return entry.uniqueId === null ? null : uniqueIdKey(this.#options.account, entry.uniqueId);
  }
}
