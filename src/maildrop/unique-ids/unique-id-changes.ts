// Whether messages that were there before have other unique-ids now, so that clients take them for new ones. Pure.

import { Turns } from '../../system/runtime/turns.js';

/** A message as it was remembered. */
export interface RememberedId {
  /** Null when they were not known. */
  readonly octets: number | null;
  readonly uniqueId: string;
  /** latin1 bytes. */
  readonly baseName: string;
}

/** A message as it is now. */
export interface IdentifiedMessage {
  readonly octets: number | null;
  readonly uniqueId: string | null;
  readonly baseName: string;
}

export interface Comparison {
  /** Remembered messages that are there with the same id, or under the same name with another one. */
  readonly foundCount: number;
  /** Remembered messages that have another id now. */
  readonly changedCount: number;
  /** One of those that changed. */
  readonly example: { readonly before: RememberedId; readonly now: IdentifiedMessage } | null;
}

/**
 * Compares what was remembered with what is there. A message has another id when one of its base name has. Where not a
 * single remembered id or name is left, as after a copy under new names, so has one whose octets are those of a message
 * now, each number of octets counted once: letters that come every day and are all of one size prove nothing.
 *
 * Messages that went, and new ones, change nothing.
 */
export async function compareUniqueIds(
  remembered: readonly RememberedId[],
  messages: readonly IdentifiedMessage[],
): Promise<Comparison> {
  const byId = new Set<string>();
  const byName = new Map<string, RememberedId>();
  const byOctets = new Map<number, RememberedId>();
  for (const entry of remembered) {
    byId.add(entry.uniqueId);
    byName.set(entry.baseName, entry);
    if (entry.octets !== null) byOctets.set(entry.octets, entry);
  }
  let foundCount = 0;
  const underNames = new Tally();
  const byTheirOctets = new Tally();
  const turns = new Turns();
  for (const now of messages) {
    const before = byName.get(now.baseName);
    if (now.uniqueId !== null && byId.has(now.uniqueId)) foundCount += 1;
    else if (before !== undefined) {
      foundCount += 1;
      underNames.add(before, now);
    } else if (now.octets !== null) {
      const sameOctets = byOctets.get(now.octets);
      if (sameOctets !== undefined && byOctets.delete(now.octets)) {
        byTheirOctets.add(sameOctets, now);
      }
    }
    if (turns.isOver()) await turns.next();
  }
  const { count, example } = foundCount === 0 ? byTheirOctets : underNames;
  return { foundCount, changedCount: count, example };
}

/** At most so many changes are nothing to write home about. */
const unremarkableCount = 10;

/** Many: more than ten, and more than half of what was remembered. */
export function areManyChanged({ changedCount }: Comparison, rememberedCount: number): boolean {
  return changedCount > unremarkableCount && changedCount * 2 > rememberedCount;
}

/** Whether a maildrop has messages enough for many to change. */
export function isWorthComparing(messageCount: number): boolean {
  return messageCount > unremarkableCount;
}

class Tally {
  count = 0;
  example: Comparison['example'] = null;

  add(before: RememberedId, now: IdentifiedMessage): void {
    this.count += 1;
    this.example ??= { before, now };
  }
}
