// What a high access level is worth when there is no room for everybody. tcpsrun(8), WAITING.

/** From this level on clients are exempt from `--per-source` and may use the reserved slots. */
export const trustedLevel = 2;

/** A tenth of the slots, rounded up, but never all of them. */
export function reservedSlots(concurrency: number): number {
  return Math.min(Math.ceil(concurrency / 10), concurrency - 1);
}
