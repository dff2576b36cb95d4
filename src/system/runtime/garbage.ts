// How V8 collects garbage, for programs that make much of it.

import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the space for young objects as small as it is at the start. It would grow to 48 MB over a
 * large maildrop, and what hangs on it outside of the heap with it: network buffers.
 */
export function keepYoungSpaceSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/**
 * From now on all garbage is collected whenever the heap has grown by a fifth, where V8 would let
 * it double: memory for some milliseconds of each second.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--heap-growing-percent=20');
}

/**
 * From now on one thread collects them, in a millisecond or two. Shared out, as is V8's way, the
 * threads wait for each other, and for processors that the other programs of the suite could use.
 */
export function collectOnOneThread(): void {
  setFlagsFromString('--no-parallel-scavenge');
}
