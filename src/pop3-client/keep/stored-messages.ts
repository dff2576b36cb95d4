// Which messages are in the Maildir already: the journal's records, matched each at most once in a session, and the names
// that earlier deliveries left in new and cur.

import type { StoredRecord } from './journal-format.js';
import type { Entry } from '../talk/listing.js';
import { deliveredKey, uniqueIdKey } from './message-key.js';
import { parseDeliveredName } from './recovery.js';

export class StoredMessages {
  readonly #account: string;
  readonly #byKey = new Map<string, StoredRecord>();
  readonly #byContent = new Map<string, StoredRecord[]>();
  /** Deliveries by what `deliveredKey` gives, and how many there are of each. */
  readonly #delivered = new Map<string, number>();
  readonly #journalExisted: boolean;

  /**
   * @param records what the journal has
   * @param names the names in new and cur when the run began
   * @param journalExisted whether names in the Maildir are the only memory left
   */
  constructor(
    account: string,
    records: readonly StoredRecord[],
    names: readonly string[],
    journalExisted: boolean,
  ) {
    this.#account = account;
    this.#journalExisted = journalExisted;
    for (const record of records) {
      if (record.key !== null) this.#byKey.set(record.key, record);
      const same = this.#byContent.get(record.contentHash);
      if (same === undefined) this.#byContent.set(record.contentHash, [record]);
      else same.push(record);
    }
    for (const name of names) {
      const key = parseDeliveredName(name);
      if (key !== null) this.#delivered.set(key, (this.#delivered.get(key) ?? 0) + 1);
    }
  }

  /**
   * Recognises a message by its unique-id and listed size, before it is fetched.
   *
   * @returns null for one that has to be fetched: unknown, without unique-id, or another size than it had
   */
  takeListed(entry: Entry): StoredRecord | null {
    if (entry.uniqueId === null || this.#byKey.size === 0) return null;
    const record = this.#byKey.get(uniqueIdKey(this.#account, entry.uniqueId));
    if (record === undefined) return null;
    if (record.listedOctets !== null && record.listedOctets !== entry.listedOctets) return null;
    this.#forget(record);
    return record;
  }

  /**
   * Recognises a message by its content, once fetched. Each record stands for one message: of two with the same content and
   * one record, the second is new.
   *
   * @returns where it is remembered: in the journal, only in the Maildir, or nowhere because it is new
   */
  takeFetched(key: string | null, contentHash: string): 'journal' | 'maildir' | 'nowhere' {
    const record = this.#byContent
      .get(contentHash)
      ?.find((one) => one.key === key || one.key === null || key === null);
    if (record !== undefined) {
      this.#forget(record);
      return 'journal';
    }
    // The same content without a unique-id may be a second copy; only a lost journal makes the name count.
    if (key === null && this.#journalExisted) return 'nowhere';
    const delivered = deliveredKey(this.#account, key, contentHash);
    const count = this.#delivered.get(delivered) ?? 0;
    if (count === 0) return 'nowhere';
    this.#delivered.set(delivered, count - 1);
    return 'maildir';
  }

  #forget(record: StoredRecord): void {
    if (record.key !== null) this.#byKey.delete(record.key);
    const rest = this.#byContent.get(record.contentHash)?.filter((one) => one !== record) ?? [];
    if (rest.length === 0) this.#byContent.delete(record.contentHash);
    else this.#byContent.set(record.contentHash, rest);
  }
}
