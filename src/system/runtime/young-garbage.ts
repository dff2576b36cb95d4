// How V8 collects short-lived objects, for programs that make many.

import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the space for young objects as small as it is at the start. It would grow to 48 MB over a
 * large maildrop, and what hangs on it outside of the heap with it: network buffers.
 */
export function keepYoungSpaceSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/**
 * From now on one thread collects them, in a millisecond or two. Shared out, as is V8's way, the
 * threads wait for each other, and for processors that the other programs of the suite could use.
 */
export function collectOnOneThread(): void {
  setFlagsFromString('--no-parallel-scavenge');
}
