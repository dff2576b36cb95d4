// Who has one of a limited number of places, who waits for one, and in which order. It serves
// twice: for the slots in which connections are served, and for the places in which programs are
// started. Counts and orders; knows nothing of sockets and processes.

/** One client. Compared by identity. */
export interface Applicant {
  /** 0 or more; higher ones get a place first. */
  readonly level: number;
  /** What `perSource` counts together. */
  readonly source: string;
}

export interface FairQueueLimits {
  /** Places in all; 1 or more. */
  readonly places: number;
  /** Places of one source at a time; 1 or more. */
  readonly perSource: number;
  /** From this level on clients are not subject to `perSource`, and may have reserved places. */
  readonly exemptLevel: number;
  /** Waiting at a time, 0 or more; asked anew for each client that would wait. */
  readonly waiting: () => number;
}

export type Decision<A> =
  | { readonly decision: 'admitted' }
  /**
   * It waits. When all places to wait were taken, `displaced` had to leave: a client of a lower
   * level, or of a source that has more clients waiting.
   */
  | { readonly decision: 'waiting'; readonly displaced: A | undefined }
  | { readonly decision: 'refused' };

export class FairQueue<A extends Applicant> {
  readonly #limits: FairQueueLimits;
  /** Highest level first, and in order of arrival within a level. */
  readonly #waiting: A[] = [];
  /** Places of clients below `exemptLevel`. */
  readonly #takenBySource = new Map<string, number>();
  #ordinaryCount = 0;
  #exemptCount = 0;
  #reserved = 0;

  constructor(limits: FairQueueLimits) {
    this.#limits = limits;
  }

  get takenCount(): number {
    return this.#ordinaryCount + this.#exemptCount;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Keeps `places` free of clients below `exemptLevel`; those that have one keep it. */
  reserve(places: number): void {
    this.#reserved = places;
  }

  /** A new client. `admitted` takes a place, which `release` gives back. */
  enter(applicant: A): Decision<A> {
    if (this.#mayTake(applicant) && !this.#isOvertaking(applicant)) {
      this.#take(applicant);
      return { decision: 'admitted' };
    }
    let displaced: A | undefined;
    if (this.#waiting.length >= this.#limits.waiting()) {
      displaced = this.#findDisplaceable(applicant);
      if (displaced === undefined) return { decision: 'refused' };
      this.withdraw(displaced);
    }
    const behind = this.#waiting.findIndex(({ level }) => level < applicant.level);
    this.#waiting.splice(behind === -1 ? this.#waiting.length : behind, 0, applicant);
    return { decision: 'waiting', displaced };
  }

  /** A client waits no more. @returns false when it did not wait */
  withdraw(applicant: A): boolean {
    const index = this.#waiting.indexOf(applicant);
    if (index !== -1) this.#waiting.splice(index, 1);
    return index !== -1;
  }

  /** Gives a place back. */
  release({ level, source }: A): void {
    if (level >= this.#limits.exemptLevel) {
      this.#exemptCount -= 1;
      return;
    }
    this.#ordinaryCount -= 1;
    const taken = this.#takenOf(source) - 1;
    if (taken > 0) this.#takenBySource.set(source, taken);
    else this.#takenBySource.delete(source);
  }

  /**
   * The next waiting client that may have a place, its place taken; undefined when there is none.
   * Within a level it is one of the source that has the fewest places: somebody who comes often
   * does not make others wait long.
   */
  next(): A | undefined {
    if (this.takenCount >= this.#limits.places) return undefined;
    let best: A | undefined;
    for (const waiting of this.#waiting) {
      if (best !== undefined && waiting.level < best.level) break;
      if (!this.#mayTake(waiting)) continue;
      if (best === undefined || this.#takenOf(waiting.source) < this.#takenOf(best.source)) {
        best = waiting;
      }
    }
    if (best === undefined) return undefined;
    this.withdraw(best);
    this.#take(best);
    return best;
  }

  /** Everybody who waits; afterwards nobody does. */
  dismiss(): A[] {
    return this.#waiting.splice(0);
  }

  /** Whether the next free place could be this client's: its source has not too many already. */
  lacksOnlyPlace(applicant: A): boolean {
    return !this.#mayTake(applicant) && this.#isSourceWithinLimit(applicant);
  }

  #mayTake(applicant: A): boolean {
    if (this.takenCount >= this.#limits.places) return false;
    if (applicant.level >= this.#limits.exemptLevel) return true;
    return (
      this.#ordinaryCount < this.#limits.places - this.#reserved &&
      this.#isSourceWithinLimit(applicant)
    );
  }

  #isSourceWithinLimit({ level, source }: A): boolean {
    const { exemptLevel, perSource } = this.#limits;
    return level >= exemptLevel || this.#takenOf(source) < perSource;
  }

  #takenOf(source: string): number {
    return this.#takenBySource.get(source) ?? 0;
  }

  /** Whether somebody waits who could have the place and is not behind this client. */
  #isOvertaking({ level }: A): boolean {
    return this.#waiting.some((waiting) => waiting.level >= level && this.#mayTake(waiting));
  }

  #take({ level, source }: A): void {
    if (level >= this.#limits.exemptLevel) {
      this.#exemptCount += 1;
      return;
    }
    this.#ordinaryCount += 1;
    this.#takenBySource.set(source, this.#takenOf(source) + 1);
  }

  /**
   * The last client of the lowest level when the new one's is higher. When it is the same, the last
   * client of the source that has the most waiting, if that is more than the new one's would have.
   */
  #findDisplaceable({ level, source }: A): A | undefined {
    const last = this.#waiting.at(-1);
    if (last === undefined || last.level > level) return undefined;
    if (last.level < level) return last;
    const rivals = this.#waiting.filter((waiting) => waiting.level === level);
    const counts = new Map<string, number>();
    for (const rival of rivals) counts.set(rival.source, (counts.get(rival.source) ?? 0) + 1);
    const most = Math.max(...counts.values());
    if (most <= (counts.get(source) ?? 0) + 1) return undefined;
    return rivals.findLast((rival) => counts.get(rival.source) === most);
  }
}
