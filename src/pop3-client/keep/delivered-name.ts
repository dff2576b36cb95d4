// The names of messages in tmp and new: a stamp, then what the message is. Pure.

import { accountTag, deliveredKey } from '../journal/message-key.js';
import type { StoredRecord } from '../journal/journal-format.js';

/**
 * The base name of a message in tmp: it says whose it is, so that a later run of the same account
 * can tell what it was.
 *
 * @param tag what `accountTag` gave
 */
export function formatTmpName(
  stamp: string,
  tag: string,
  key: string | null,
  host: string,
): string {
  return `${stamp}A${tag}${key === null ? '' : `K${key}`}.${host}`;
}

/**
 * @returns the stamp and the key in a name that `formatTmpName` made for this account; null for any
 *   other name
 */
export function parseTmpName(
  name: string,
  account: string,
): Pick<StoredRecord, 'stamp' | 'key'> | null {
  const parts = /^([0-9]{1,12}\.M[0-9]{6})A([0-9a-f]{16})(?:K([0-9a-f]{32}))?\./.exec(name);
  const [, stamp = '', tag, key] = parts ?? [];
  return tag === accountTag(account) ? { stamp, key: key ?? null } : null;
}

/** The base name of a message in new. @param delivered what `deliveredKey` gave */
export function formatDeliveredName(stamp: string, delivered: string, host: string): string {
  return `${stamp}U${delivered}.${host}`;
}

/**
 * The 32 hex digits of a name that `formatDeliveredName` made, in any Maildir folder; null for
 * another's name.
 */
export function parseDeliveredName(fileName: string): string | null {
  return /^[0-9]{1,12}\.M[0-9]{6}U([0-9a-f]{32})\./.exec(fileName)?.[1] ?? null;
}

/** Which messages have their final names in new or cur. */
export class DeliveredNames {
  readonly #starts: ReadonlySet<string>;

  /** @param names all names in new and cur */
  constructor(names: readonly string[]) {
    this.#starts = new Set(
      names.flatMap((name) => /^[^.]+\.M[0-9]{6}U[0-9a-f]{32}\./.exec(name) ?? []),
    );
  }

  has(account: string, record: Pick<StoredRecord, 'stamp' | 'key' | 'contentHash'>): boolean {
    const delivered = deliveredKey(account, record.key, record.contentHash);
    return this.#starts.has(formatDeliveredName(record.stamp, delivered, ''));
  }
}
