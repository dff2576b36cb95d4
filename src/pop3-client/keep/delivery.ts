// What becomes of messages that are whole in tmp. Whoever fetches mail knows no more than this of
// where it goes.

import type { StoredRecord } from '../journal/journal-format.js';
import type { Memory } from './already-stored.js';

/** A file in tmp, and what the journal is to say of it. */
export interface Settled {
  readonly tmpName: string;
  readonly record: StoredRecord;
  readonly memory: Memory;
  /** Whether the server is certain to have the message still. */
  readonly hasOtherCopy: boolean;
}

export interface DeliveryOutcome {
  /** Safe where they belong, and recorded durably. */
  readonly recorded: readonly Settled[];
  /** Not taken, or not known to be: for the next run. */
  readonly left: readonly { readonly settled: Settled; readonly reason: string }[];
}

export interface Delivery {
  /**
   * Delivers what is new and records all. tmp has none of the recorded ones after it.
   *
   * @param failures gets what went wrong here
   */
  deliver(settled: readonly Settled[], failures: unknown[]): Promise<DeliveryOutcome>;
  close(): void;
}
