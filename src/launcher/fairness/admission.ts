// Who is served now, who waits and who is turned away. Counts and orders; knows nothing of sockets.

export interface AdmissionLimits {
  /** Served at a time; 1 or more. */
  readonly concurrency: number;
  /** Served at a time of one source, for levels below `trustedLevel`; 1 or more. */
  readonly perSource: number;
  /** Waiting at a time, 0 or more; asked anew for each that would wait. */
  readonly held: () => number;
}

/** From this level on clients are exempt from `perSource` and may use the reserved slots. */
export const trustedLevel = 2;

/** One client. Compared by identity. */
export interface Applicant {
  /** 0 or more; higher ones are served first. */
  readonly level: number;
  /** What `perSource` counts together. */
  readonly source: string;
}

export type Decision<A> =
  | { readonly decision: 'admitted' }
  /** It waits; a client of a lower level, or of a source that has more waiting, had to leave for it, when `displaced` is there. */
  | { readonly decision: 'held'; readonly displaced: A | undefined }
  | { readonly decision: 'refused' };

/** A tenth of the slots, rounded up, but never all of them. */
export function reservedSlots(concurrency: number): number {
  return Math.min(Math.ceil(concurrency / 10), concurrency - 1);
}

export class Admission<A extends Applicant> {
  readonly #limits: AdmissionLimits;
  /** Highest level first, and in order of arrival within a level. */
  readonly #held: A[] = [];
  readonly #servedBySource = new Map<string, number>();
  #servedTrusted = 0;
  #servedOrdinary = 0;
  #reserved = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  get servedCount(): number {
    return this.#servedTrusted + this.#servedOrdinary;
  }

  get heldCount(): number {
    return this.#held.length;
  }

  /** Keeps `slots` free of clients below `trustedLevel`; those that have one keep it. */
  reserve(slots: number): void {
    this.#reserved = slots;
  }

  /** A new client. `admitted` takes a slot, which `release` gives back. */
  apply(applicant: A): Decision<A> {
    if (this.#maySlot(applicant) && !this.#isOvertaking(applicant)) {
      this.#take(applicant);
      return { decision: 'admitted' };
    }
    if (this.#held.length < this.#limits.held()) {
      this.#hold(applicant);
      return { decision: 'held', displaced: undefined };
    }
    const displaced = this.#findDisplaceable(applicant);
    if (displaced === undefined) return { decision: 'refused' };
    this.#held.splice(this.#held.indexOf(displaced), 1);
    this.#hold(applicant);
    return { decision: 'held', displaced };
  }

  /** Whether a slot that became free could be this client's: its source has not too many already. */
  lacksOnlySlot(applicant: A): boolean {
    return !this.#maySlot(applicant) && this.#isSourceWithinLimit(applicant);
  }

  /** Gives a slot back. */
  release(applicant: A): void {
    if (applicant.level >= trustedLevel) {
      this.#servedTrusted -= 1;
      return;
    }
    this.#servedOrdinary -= 1;
    const served = this.#servedOf(applicant.source) - 1;
    if (served > 0) this.#servedBySource.set(applicant.source, served);
    else this.#servedBySource.delete(applicant.source);
  }

  /**
   * The next waiting client that may be served, its slot taken; undefined when there is none. Within a level it is one of
   * the source that is served least: somebody who comes often does not make others wait long.
   */
  next(): A | undefined {
    if (this.servedCount >= this.#limits.concurrency) return undefined;
    let best: A | undefined;
    for (const held of this.#held) {
      if (best !== undefined && held.level < best.level) break;
      if (!this.#maySlot(held)) continue;
      if (best === undefined || this.#servedOf(held.source) < this.#servedOf(best.source)) {
        best = held;
      }
    }
    if (best === undefined) return undefined;
    this.#held.splice(this.#held.indexOf(best), 1);
    this.#take(best);
    return best;
  }

  /** Everybody who waits; afterwards nobody does. */
  dismiss(): A[] {
    return this.#held.splice(0);
  }

  #maySlot(applicant: A): boolean {
    if (this.servedCount >= this.#limits.concurrency) return false;
    if (applicant.level >= trustedLevel) return true;
    return (
      this.#servedOrdinary < this.#limits.concurrency - this.#reserved &&
      this.#isSourceWithinLimit(applicant)
    );
  }

  #isSourceWithinLimit({ level, source }: A): boolean {
    return level >= trustedLevel || this.#servedOf(source) < this.#limits.perSource;
  }

  #servedOf(source: string): number {
    return this.#servedBySource.get(source) ?? 0;
  }

  /** Whether somebody waits who could have the slot and is not behind this client. */
  #isOvertaking(applicant: A): boolean {
    return this.#held.some((held) => held.level >= applicant.level && this.#maySlot(held));
  }

  #take({ level, source }: A): void {
    if (level >= trustedLevel) {
      this.#servedTrusted += 1;
      return;
    }
    this.#servedOrdinary += 1;
    this.#servedBySource.set(source, this.#servedOf(source) + 1);
  }

  /** The last one of the lowest level, if the newcomer's is higher; else the last of the source that has the most of them. */
  #findDisplaceable({ level, source }: A): A | undefined {
    const last = this.#held.at(-1);
    if (last === undefined || last.level > level) return undefined;
    if (last.level < level) return last;
    const crowds = new Map<string, A[]>();
    for (const held of this.#held) {
      if (held.level !== level) continue;
      const crowd = crowds.get(held.source);
      if (crowd === undefined) crowds.set(held.source, [held]);
      else crowd.push(held);
    }
    const own = (crowds.get(source)?.length ?? 0) + 1;
    let largest: readonly A[] = [];
    for (const crowd of crowds.values()) if (crowd.length > largest.length) largest = crowd;
    return largest.length > own ? largest.at(-1) : undefined;
  }

  #hold(applicant: A): void {
    const behind = this.#held.findIndex((held) => held.level < applicant.level);
    this.#held.splice(behind === -1 ? this.#held.length : behind, 0, applicant);
  }
}
