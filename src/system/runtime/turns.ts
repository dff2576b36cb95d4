// Work on many messages in slices: the rest of the process runs between them.

import { setImmediate as nextTurn } from 'node:timers/promises';

/** Work that is done before the rest of the process runs. */
const sliceMs = 5;

/**
 * Steps that take less than a microsecond each, so that a look at the clock after every one would
 * take longer than they do.
 */
export const tinySteps = 32;

/**
 * Watches the time that a loop takes. Where the loop asks after each of many small steps, waiting
 * is left to the steps that need it: `if (turns.isOver()) await turns.next();`
 */
export class Turns {
  readonly #stepsPerLook: number;
  #steps = 0;
  #startedMs = performance.now();

  /** @param stepsPerLook so many calls of `isOver` look at the clock once */
  constructor(stepsPerLook = 1) {
    this.#stepsPerLook = stepsPerLook;
  }

  /** Whether the slice is used up. To be asked after each step. */
  isOver(): boolean {
    this.#steps += 1;
    if (this.#steps < this.#stepsPerLook) return false;
    this.#steps = 0;
    return performance.now() - this.#startedMs >= sliceMs;
  }

  /** Lets the rest of the process run, then starts a new slice. */
  async next(): Promise<void> {
    await nextTurn();
    this.#startedMs = performance.now();
  }
}
