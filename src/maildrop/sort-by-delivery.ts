// Puts messages in the order of their delivery. Nearly all of them have a second of their own, or share it with few: numbers
// are sorted in the place of names, which takes a tenth of the time.

import type { DeliveryTime } from '../maildir/base-name.js';
import { sortInTurns } from './sort-in-turns.js';
import { Turns } from './turns.js';

interface Deliverable extends DeliveryTime {
  /** latin1 bytes. */
  readonly baseName: string;
}

/** An index that fits beside the seconds into the 53 bits of a number; so many are sorted in some ten milliseconds. */
const maxSortedAtOnce = 2 ** 17;

/** The year 4147; later times, and names without one, are compared as they are. */
const maxSeconds = 2 ** 36;

/** Fewer are sorted as well without more ado. */
const minWorthNumbers = 2048;

/**
 * Sorts stably by the time in the name; within the same microsecond by name, so that the order is the same in every session.
 *
 * @returns a new list
 */
export async function sortByDelivery<T extends Deliverable>(
  messages: readonly T[],
): Promise<readonly T[]> {
  const { length } = messages;
  if (length < minWorthNumbers || length > maxSortedAtOnce) {
    return sortInTurns(messages, byDelivery);
  }
  const turns = new Turns();
  const order = new Float64Array(length);
  for (const [index, { seconds }] of messages.entries()) {
    if (seconds >= maxSeconds) return sortInTurns(messages, byDelivery);
    order[index] = seconds * maxSortedAtOnce + index;
    if (turns.isOver()) await turns.next();
  }
  order.sort();
  const sorted: T[] = [];
  for (const key of order) {
    sorted.push(messages[key % maxSortedAtOnce] as T);
    if (turns.isOver()) await turns.next();
  }
  await sortWithinSeconds(sorted, turns);
  return sorted;
}

async function sortWithinSeconds<T extends Deliverable>(sorted: T[], turns: Turns): Promise<void> {
  for (let start = 0, end = 1; start < sorted.length; start = end, end += 1) {
    while (end < sorted.length && sorted[end]?.seconds === sorted[start]?.seconds) end += 1;
    if (end - start === 1) continue;
    const ofOneSecond = await sortInTurns(sorted.slice(start, end), byDelivery);
    for (const [index, message] of ofOneSecond.entries()) sorted[start + index] = message;
    if (turns.isOver()) await turns.next();
  }
}

function byDelivery(a: Deliverable, b: Deliverable): number {
  return (
    compare(a.seconds, b.seconds) ||
    a.microseconds - b.microseconds ||
    compare(a.baseName, b.baseName)
  );
}

function compare<T extends number | string>(a: T, b: T): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
