// Messages from tmp to a receiver, one after the other. The journal says of each, durably, that it
// is being handed over, then what became of it; only what was taken is deleted at the server. What
// nobody knows stays so in the journal and in tmp: the next run hands it over again, with the same
// X-Pop3get-Id.

import { join } from 'node:path';
import { removeTmp } from '../../maildir/deliver.js';
import { OutgoingMessage } from '../deliver/outgoing-message.js';
import type { Receiver, Verdict } from '../deliver/receiver.js';
import type { Journal } from '../journal/journal.js';
import type { RecordState, StoredRecord } from '../journal/journal-format.js';
import { deliveredKey } from '../journal/message-key.js';
import type { Delivery, DeliveryOutcome, Settled } from './delivery.js';

export interface HandOverOptions {
  /** The directory whose tmp the messages are in. */
  readonly directory: string;
  readonly account: string;
  readonly journal: Journal;
  readonly receiver: Receiver;
}

export class HandOver implements Delivery {
  readonly #options: HandOverOptions;

  constructor(options: HandOverOptions) {
    this.#options = options;
  }

  async deliver(settled: readonly Settled[], failures: unknown[]): Promise<DeliveryOutcome> {
    const { journal } = this.#options;
    const isFresh = ({ memory }: Settled): boolean => memory.kind === 'nowhere';
    const recorded = settled.filter((one) => !isFresh(one));
    const named = recorded.filter(({ memory }) => memory.kind === 'maildir');
    const left: { settled: Settled; reason: string }[] = [];
    const waiting = new Set(settled.filter(isFresh));
    try {
      const before = undecidedNames(journal.content.records);
      await this.#note([...waiting], 'handing');
      for (const one of [...waiting]) {
        const verdict = await this.#hand(one, before.has(nameOf(one.record)));
        waiting.delete(one);
        if (verdict.kind === 'accepted') {
          await journal.addRecordsUnsynced([one.record]);
          recorded.push(one);
          continue;
        }
        left.push({ settled: one, reason: reasonFor(verdict) });
        if (verdict.kind !== 'undecided') await this.#note([one], 'returned');
      }
    } catch (error) {
      failures.push(error);
    }
    try {
      // What nobody tried to hand over is as if it had not been announced.
      await this.#note([...waiting], 'returned');
      await journal.addRecordsUnsynced(named.map(({ record }) => record));
      await journal.sync();
    } catch (error) {
      failures.push(error);
      return { recorded: [], left };
    }
    // What was not taken waits in tmp for the next listing: a server may throw away what was
    // retrieved (RFC 1939 §8), at once or at QUIT.
    for (const one of recorded) this.#removeTmp(one);
    return { recorded, left };
  }

  close(): void {
    this.#options.receiver.close();
  }

  async #hand({ tmpName, record }: Settled, isRepeat: boolean): Promise<Verdict> {
    const { directory, account, receiver } = this.#options;
    const path = join(directory, 'tmp', tmpName);
    const id = deliveredKey(account, record.key, record.contentHash);
    return receiver.hand(new OutgoingMessage(path, id, isRepeat));
  }

  async #note(messages: readonly Settled[], state: RecordState): Promise<void> {
    await this.#options.journal.addRecords(messages.map(({ record }) => ({ ...record, state })));
  }

  #removeTmp({ tmpName }: Settled): void {
    try {
      removeTmp(this.#options.directory, tmpName);
    } catch {
      // It stays for the next run.
    }
  }
}

function reasonFor(verdict: Exclude<Verdict, { kind: 'accepted' }>): string {
  return verdict.kind === 'undecided'
    ? `${verdict.reason}: the next run hands it over again`
    : verdict.reason;
}

/**
 * Of records, those of messages that were handed over, and of which no other record says what
 * became of them.
 */
export function undecidedRecords(
  records: ReadonlyMap<string, StoredRecord>,
): readonly StoredRecord[] {
  const names = undecidedNames(records);
  return [...records.values()].filter((one) => one.state === 'handing' && names.has(nameOf(one)));
}

function undecidedNames(records: ReadonlyMap<string, StoredRecord>): ReadonlySet<string> {
  const names = new Set<string>();
  for (const one of records.values()) if (one.state === 'handing') names.add(nameOf(one));
  // Without any the others need no names.
  if (names.size === 0) return names;
  for (const one of records.values()) if (one.state !== 'handing') names.delete(nameOf(one));
  return names;
}

function nameOf({ key, contentHash }: StoredRecord): string {
  return `${key ?? ''} ${contentHash}`;
}
