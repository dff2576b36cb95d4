// Messages from tmp into new, so that one directory sync and one journal sync serve many. Order:
// links, sync of new, journal, sync of the journal, and then tmp is cleared. Without link(2):
// journal, renames, sync of new, journal.

import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { placeInNew, removeTmp, syncDirectory, type Placing } from '../../maildir/deliver.js';
import { hostPart } from '../../maildir/unique-name.js';
import type { Journal } from '../journal/journal.js';
import { deliveredKey } from '../journal/message-key.js';
import { formatDeliveredName } from './delivered-name.js';
import type { Delivery, DeliveryOutcome, Settled } from './delivery.js';

export interface MaildirDeliveryOptions {
  readonly maildir: string;
  readonly account: string;
  readonly placing: Placing;
  readonly journal: Journal;
}

export class MaildirDelivery implements Delivery {
  readonly #options: MaildirDeliveryOptions;
  readonly #host = hostPart();

  constructor(options: MaildirDeliveryOptions) {
    this.#options = options;
  }

  async deliver(settled: readonly Settled[], failures: unknown[]): Promise<DeliveryOutcome> {
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
    const done = new Set(recorded);
    for (const one of settled) {
      if (done.has(one) || (one.hasOtherCopy && !withdrawn.has(one))) this.#removeTmp(one);
    }
    return { recorded, left: [] };
  }

  close(): void {
    // Nothing is kept open.
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
      if (one.hasOtherCopy) this.#removeTmp(one);
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
}
