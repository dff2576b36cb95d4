// How long a failed login waits for its answer. This makes guessing passwords slow; a mistyped
// password costs a moment.

/** The delay doubles so often. */
const maxDoublings = 3;

/**
 * @param firstMs for the first failure; 0 switches delays off
 * @param failures this one and the recent ones before it; 1 or more
 * @returns milliseconds, at most eight times `firstMs`
 */
export function failureDelayMs(firstMs: number, failures: number): number {
  return firstMs * 2 ** Math.min(maxDoublings, failures - 1);
}
