// How many programs may be starting at a time: each keeps a processor busy until it waits for its client. Counts and orders;
// knows nothing of processes.

import { ChurningMap } from '../../system/runtime/churning-map.js';
import type { Applicant } from './admission.js';

export interface StartingLimits {
  /** Starting at a time; 1 or more. */
  readonly inAll: number;
  /** Starting at a time for one source; 1 or more. */
  readonly perSource: number;
}

/** A place, or the wait for one. */
export interface StartingPlace {
  /** Whether the program may be started now; false when the place was given back before. Never rejects. */
  readonly isGranted: Promise<boolean>;
  /** Gives the place back, or stops waiting. May be called again, without effect. */
  readonly leave: () => void;
}

interface Claim extends Applicant {
  readonly settle: (isGranted: boolean) => void;
}

export class StartingPlaces {
  readonly #limits: StartingLimits;
  /** In order of arrival. */
  readonly #waiting = new ChurningMap<number, Claim>();
  readonly #takenBySource = new Map<string, number>();
  #takenCount = 0;
  #claimCount = 0;

  constructor(limits: StartingLimits) {
    this.#limits = limits;
  }

  /** Those of higher levels go first; within a level those whose source has the fewest starting, then in order of arrival. */
  claim({ level, source }: Applicant): StartingPlace {
    const number = this.#claimCount++;
    let isTaken = false;
    const isGranted = new Promise<boolean>((resolve) => {
      const settle = (granted: boolean): void => {
        isTaken = granted;
        resolve(granted);
      };
      this.#waiting.set(number, { level, source, settle });
    });
    this.#grant();
    return {
      isGranted,
      leave: () => {
        if (isTaken) this.#release(source);
        this.#waiting.get(number)?.settle(false);
        this.#waiting.delete(number);
        isTaken = false;
      },
    };
  }

  #takenOf(source: string): number {
    return this.#takenBySource.get(source) ?? 0;
  }

  #grant(): void {
    while (this.#takenCount < this.#limits.inAll) {
      const next = this.#next();
      if (next === undefined) return;
      const [number, { source, settle }] = next;
      this.#waiting.delete(number);
      this.#takenBySource.set(source, this.#takenOf(source) + 1);
      this.#takenCount += 1;
      settle(true);
    }
  }

  #next(): readonly [number, Claim] | undefined {
    let best: readonly [number, Claim] | undefined;
    let fewest = this.#limits.perSource;
    for (const entry of this.#waiting.entries()) {
      const [, { level, source }] = entry;
      const taken = this.#takenOf(source);
      if (taken >= this.#limits.perSource) continue;
      const isBetter =
        best === undefined || level > best[1].level || (level === best[1].level && taken < fewest);
      if (!isBetter) continue;
      best = entry;
      fewest = taken;
    }
    return best;
  }

  #release(source: string): void {
    const taken = this.#takenOf(source) - 1;
    if (taken > 0) this.#takenBySource.set(source, taken);
    else this.#takenBySource.delete(source);
    this.#takenCount -= 1;
    this.#grant();
  }
}
