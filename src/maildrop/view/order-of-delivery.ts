// The order in which messages were delivered, by the times in their names. A merge sort of numbers
// that gives way to the rest of the process: no sort of Node's does, and 100,000 messages take it a
// tenth of a second.

import { baseNameOf, deliveryTimeOf } from '../../maildir/base-name.js';
import { tinySteps, Turns } from '../../system/runtime/turns.js';

/** So many are sorted without a pause, in about two milliseconds. */
const runLength = 2048;

/**
 * Sorts by the time in the names; within the same microsecond by base name, so that the order is
 * the same in every session. Names of one base name stay in the order in which they were given.
 *
 * @param names latin1 bytes, with or without info
 * @returns indexes in the order of delivery
 */
export async function orderOfDelivery(names: readonly string[]): Promise<Uint32Array> {
  const turns = new Turns(tinySteps);
  const seconds = new Float64Array(names.length);
  const microseconds = new Float64Array(names.length);
  let order = new Uint32Array(names.length);
  for (const [index, name] of names.entries()) {
    const time = deliveryTimeOf(name);
    seconds[index] = time.seconds;
    microseconds[index] = time.microseconds;
    order[index] = index;
    if (turns.isOver()) await turns.next();
  }
  const compare = (a: number, b: number): number =>
    // Two names without a time make NaN, which is falsy too.
    (seconds[a] ?? 0) - (seconds[b] ?? 0) ||
    (microseconds[a] ?? 0) - (microseconds[b] ?? 0) ||
    compareBaseNames(names[a] ?? '', names[b] ?? '') ||
    a - b;
  const runTurns = new Turns();
  for (let start = 0; start < order.length; start += runLength) {
    order.subarray(start, start + runLength).sort(compare);
    if (runTurns.isOver()) await runTurns.next();
  }
  for (let width = runLength; width < order.length; width *= 2) {
    order = await mergePairs(order, width, compare);
  }
  return order;
}

/** Merges sorted runs of `width` indexes, two at a time, to runs of twice the width. */
async function mergePairs(
  runs: Uint32Array,
  width: number,
  compare: (a: number, b: number) => number,
): Promise<Uint32Array<ArrayBuffer>> {
  const turns = new Turns(tinySteps);
  const merged = new Uint32Array(runs.length);
  for (let start = 0; start < runs.length; start += 2 * width) {
    const middle = Math.min(start + width, runs.length);
    const end = Math.min(middle + width, runs.length);
    let [left, right] = [start, middle];
    for (let at = start; at < end; at += 1) {
      const isLeftNext =
        right === end || (left < middle && compare(runs[left] ?? 0, runs[right] ?? 0) <= 0);
      merged[at] = runs[isLeftNext ? left++ : right++] ?? 0;
      if (turns.isOver()) await turns.next();
    }
  }
  return merged;
}

function compareBaseNames(a: string, b: string): number {
  const [one, other] = [baseNameOf(a), baseNameOf(b)];
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
