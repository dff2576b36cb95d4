// Sorts long lists without holding up the process: a merge sort that gives way between its steps.

import { Turns } from '../../system/runtime/turns.js';

/** Sorted at once; about three milliseconds. */
const runLength = 2048;

/** Merged between two looks at the clock. */
const itemsPerLook = 512;

/**
 * Sorts stably, like `Array.prototype.sort`. A short list is sorted before the promise is returned.
 *
 * @param items not changed
 * @returns a new list
 */
export async function sortInTurns<T extends object>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
): Promise<readonly T[]> {
  if (items.length <= runLength) return items.toSorted(compare);
  const turns = new Turns();
  let runs: T[][] = [];
  for (let start = 0; start < items.length; start += runLength) {
    runs.push(items.slice(start, start + runLength).sort(compare));
    if (turns.isOver()) await turns.next();
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let at = 0; at < runs.length; at += 2) {
      const [left = [], right = []] = [runs[at], runs[at + 1]];
      merged.push(await merge(left, right, compare, turns));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

async function merge<T extends object>(
  left: readonly T[],
  right: readonly T[],
  compare: (a: T, b: T) => number,
  turns: Turns,
): Promise<T[]> {
  const merged: T[] = [];
  let fromLeft = 0;
  let fromRight = 0;
  while (merged.length < left.length + right.length) {
    const stop = Math.min(merged.length + itemsPerLook, left.length + right.length);
    while (merged.length < stop) {
      const a = left[fromLeft];
      const b = right[fromRight];
      // Items are never undefined: the end of a run is what undefined tells.
      const isLeftNext = b === undefined || (a !== undefined && compare(a, b) <= 0);
      if (isLeftNext) fromLeft += 1;
      else fromRight += 1;
      merged.push((isLeftNext ? a : b) as T);
    }
    if (turns.isOver()) await turns.next();
  }
  return merged;
}
