// Where clients wait whose program has to be started, so that those of one network, however many, leave others their share of the
// processors. Knows nothing of slots.

import type { Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Applicant } from './admission.js';
import { hasPeerLeft } from './peer-presence.js';
import { StartingPlaces, type StartingPlace } from './starting-places.js';

/** More processes than one in so long are more than most machines can start. */
const burstMs = 50;

/** Next to nothing beside the time that a process takes to start. */
const secondLookMs = 5;

/** A program that has not told by then that it is ready does not tell, or the machine has other work than it. */
const startingMs = 250;

/** One client's wait, and then its program's start. */
export interface Turn {
  /** Why it is not served after all; null when its program is to be started now. Never rejects. */
  readonly whyNot: Promise<string | null>;
  /** Its program is ready, or will never be started. May be called again, without effect. */
  leave(): void;
}

export class StartingLine {
  /** As many for one source as keep all processors busy: a client from elsewhere does not wait behind its many. */
  readonly #places = new StartingPlaces({
    inAll: 2 * availableParallelism(),
    perSource: availableParallelism(),
  });
  #lastMs = -Infinity;

  enter(applicant: Applicant, socket: Socket): Turn {
    const nowMs = performance.now();
    const isBurst = nowMs - this.#lastMs < burstMs;
    this.#lastMs = nowMs;
    let place: StartingPlace | undefined;
    let hasLeft = false;
    const wait = async (): Promise<string | null> => {
      // When many come at once, a moment tells who only knocked and reset.
      if (isBurst) await delay(secondLookMs);
      if (isBurst && hasPeerLeft(socket)) return 'the peer left at once';
      if (hasLeft) return 'gave way while it waited';
      place = this.#places.claim(applicant);
      if (!(await place.isGranted)) return 'gave way while it waited';
      if (hasPeerLeft(socket)) return 'the peer left while it waited';
      setTimeout(place.leave, startingMs);
      return null;
    };
    return {
      whyNot: wait(),
      leave: () => {
        hasLeft = true;
        place?.leave();
      },
    };
  }
}
