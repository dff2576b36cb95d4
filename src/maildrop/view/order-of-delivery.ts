// The order in which messages were delivered. Nearly all of them have a second of their own, or share it with few: numbers
// are sorted in the place of names, which takes a tenth of the time.

import { baseNameOf, deliveryTimeOf, type DeliveryTime } from '../../maildir/base-name.js';
import { sortInTurns } from './sort-in-turns.js';
import { Turns, tinySteps } from '../../system/runtime/turns.js';

/** An index that fits beside the seconds into the 53 bits of a number; so many are sorted in some ten milliseconds. */
const maxSortedAtOnce = 2 ** 17;

/** The year 4147; later times, and names without one, are compared as they are. */
const maxSeconds = 2 ** 36;

/** Fewer are sorted as well without more ado. */
const minWorthNumbers = 2048;

/** A message among others of the same second. */
interface Deliverable extends DeliveryTime {
  readonly baseName: string;
  readonly index: number;
}

/**
 * Sorts stably by the time in the names; within the same microsecond by base name, so that the order is the same in every
 * session.
 *
 * @param names latin1 bytes, with or without info
 * @returns indexes in the order of delivery
 */
export async function orderOfDelivery(names: readonly string[]): Promise<ArrayLike<number>> {
  const isShort = names.length < minWorthNumbers;
  if (isShort || names.length > maxSortedAtOnce) return orderByComparing(names);
  const turns = new Turns(tinySteps);
  const order = new Float64Array(names.length);
  for (const [index, name] of names.entries()) {
    const { seconds } = deliveryTimeOf(name);
    if (seconds >= maxSeconds) return orderByComparing(names);
    order[index] = seconds * maxSortedAtOnce + index;
    if (turns.isOver()) await turns.next();
  }
  // Not to be had in slices, so others get a turn before and after it.
  await turns.next();
  order.sort();
  await turns.next();
  let start = 0;
  for (let end = 1; end <= order.length; end += 1) {
    const isSameSecond = end < order.length && secondsIn(order, end) === secondsIn(order, start);
    if (isSameSecond) continue;
    if (end - start > 1) await sortWithinSecond(names, order.subarray(start, end));
    start = end;
    if (turns.isOver()) await turns.next();
  }
  for (const [at, key] of order.entries()) {
    order[at] = key % maxSortedAtOnce;
    if (turns.isOver()) await turns.next();
  }
  return order;
}

function secondsIn(order: Float64Array, at: number): number {
  return Math.floor((order[at] ?? 0) / maxSortedAtOnce);
}

async function sortWithinSecond(names: readonly string[], keys: Float64Array): Promise<void> {
  const indexes = Array.from(keys, (key) => key % maxSortedAtOnce);
  // Seconds need not stay in the keys: they are not looked at again.
  keys.set(await sortedIndexes(names, indexes));
}

async function orderByComparing(names: readonly string[]): Promise<readonly number[]> {
  return sortedIndexes(names, [...names.keys()]);
}

async function sortedIndexes(
  names: readonly string[],
  indexes: readonly number[],
): Promise<readonly number[]> {
  const turns = new Turns(tinySteps);
  const deliverables: Deliverable[] = [];
  for (const index of indexes) {
    const baseName = baseNameOf(names[index] ?? '');
    const { seconds, microseconds } = deliveryTimeOf(baseName);
    deliverables.push({ seconds, microseconds, baseName, index });
    if (turns.isOver()) await turns.next();
  }
  const sorted = await sortInTurns(deliverables, byDelivery);
  return sorted.map(({ index }) => index);
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
