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
  /** It waits; a client of a lower level had to leave for it, when `displaced` is there. */
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
    const last = this.#held.at(-1);
    if (last === undefined || last.level >= applicant.level) return { decision: 'refused' };
    this.#held.pop();
    this.#hold(applicant);
    return { decision: 'held', displaced: last };
  }

  /** Gives a slot back. */
  release(applicant: A): void {
    if (applicant.level >= trustedLevel) {
      this.#servedTrusted -= 1;
      return;
    }
    this.#servedOrdinary -= 1;
    const served = (this.#servedBySource.get(applicant.source) ?? 1) - 1;
    if (served > 0) this.#servedBySource.set(applicant.source, served);
    else this.#servedBySource.delete(applicant.source);
  }

  /** The next waiting client that may be served, its slot taken; undefined when there is none. */
  next(): A | undefined {
    if (this.servedCount >= this.#limits.concurrency) return undefined;
    const index = this.#held.findIndex((applicant) => this.#maySlot(applicant));
    const [applicant] = index === -1 ? [] : this.#held.splice(index, 1);
    if (applicant !== undefined) this.#take(applicant);
    return applicant;
  }

  /** Everybody who waits; afterwards nobody does. */
  dismiss(): A[] {
    return this.#held.splice(0);
  }

  #maySlot({ level, source }: A): boolean {
    if (this.servedCount >= this.#limits.concurrency) return false;
    if (level >= trustedLevel) return true;
    return (
      this.#servedOrdinary < this.#limits.concurrency - this.#reserved &&
      (this.#servedBySource.get(source) ?? 0) < this.#limits.perSource
    );
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
    this.#servedBySource.set(source, (this.#servedBySource.get(source) ?? 0) + 1);
  }

  #hold(applicant: A): void {
    const behind = this.#held.findIndex((held) => held.level < applicant.level);
    this.#held.splice(behind === -1 ? this.#held.length : behind, 0, applicant);
  }
}
