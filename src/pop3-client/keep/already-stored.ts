// Which messages are in the Maildir already: the journal's records, matched each at most once in a
// session, and the names that earlier deliveries left in new and cur.

import type { StoredRecord } from '../journal/journal-format.js';
import type { Entry } from '../talk/listing.js';
import { deliveredKey, uniqueIdKey } from '../journal/message-key.js';
import type { MessageIdentity } from './message-identity.js';
import { parseDeliveredName } from './delivered-name.js';

/**
 * Where a message is remembered: in the journal, only by its name in the Maildir, or nowhere
 * because it is new.
 */
export type Memory =
  | { readonly kind: 'journal'; readonly record: StoredRecord }
  | { readonly kind: 'maildir' }
  | { readonly kind: 'nowhere' };

export class AlreadyStored {
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
      if (record.state === 'storing' || record.state === 'handing') continue;
      if (record.key !== null) this.#byKey.set(record.key, record);
      if (record.state === 'imported') continue;
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
   * The record of a message's unique-id; its size and content may be others.
   *
   * @returns null also without a unique-id
   */
  find(entry: Entry): StoredRecord | null {
    if (entry.uniqueId === null || this.#byKey.size === 0) return null;
    return this.#byKey.get(uniqueIdKey(this.#account, entry.uniqueId)) ?? null;
  }

  /** For a record whose message was recognised: it stands for no other one. */
  take(record: StoredRecord): void {
    if (record.key !== null) this.#byKey.delete(record.key);
    const rest = this.#byContent.get(record.contentHash)?.filter((one) => one !== record) ?? [];
    if (rest.length === 0) this.#byContent.delete(record.contentHash);
    else this.#byContent.set(record.contentHash, rest);
  }

  /** Records without unique-id that were not taken. */
  rest(): readonly StoredRecord[] {
    return [...this.#byContent.values()].flat().filter(({ key }) => key === null);
  }

  /**
   * Recognises a message by its content, once fetched. Each record stands for one message: of two
   * with the same content and one record, the second is new.
   */
  takeFetched(key: string | null, identity: MessageIdentity): Memory {
    const { contentHash, wholeHash } = identity;
    for (const hash of wholeHash === null ? [contentHash] : [contentHash, wholeHash]) {
      const record = this.#byContent
        .get(hash)
        ?.find((one) => one.key === key || one.key === null || key === null);
      if (record !== undefined) {
        this.take(record);
        return { kind: 'journal', record };
      }
      // The same content without a unique-id may be a second copy; only a lost journal makes the
      // name count.
      if (this.#delivered.size === 0 || (key === null && this.#journalExisted)) continue;
      const delivered = deliveredKey(this.#account, key, hash);
      const count = this.#delivered.get(delivered) ?? 0;
      if (count === 0) continue;
      this.#delivered.set(delivered, count - 1);
      return { kind: 'maildir' };
    }
    return { kind: 'nowhere' };
  }
}
