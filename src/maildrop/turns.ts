// Work on many messages in slices: the rest of the process gets a turn between them.

import { setImmediate as nextTurn } from 'node:timers/promises';

/** Work that is done before the rest of the process gets a turn. */
const sliceMs = 5;

/**
 * Watches the time that a loop takes. Where the loop asks after each of many small steps, waiting is left to the steps that
 * need it: `if (turns.isOver()) await turns.next();`
 */
export class Turns {
  #startedMs = performance.now();

  /** Whether the slice is used up. Costs about 50 ns. */
  isOver(): boolean {
    return performance.now() - this.#startedMs >= sliceMs;
  }

  /** Lets the rest of the process run, then starts a new slice. */
  async next(): Promise<void> {
    await nextTurn();
    this.#startedMs = performance.now();
  }
}
