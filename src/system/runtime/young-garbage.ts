// How V8 collects short-lived objects, for programs that make many.

import { setFlagsFromString } from 'node:v8';

/**
 * From now on one thread collects them, in a millisecond or two. Shared out, as is V8's way, the
 * threads wait for each other, and for processors that the other programs of the suite could use.
 */
export function collectOnOneThread(): void {
  setFlagsFromString('--no-parallel-scavenge');
}
