// What happened to the messages of a torture test, and when, by those who did it; and whether what sessions saw fits.

export interface Sighting {
  readonly serial: number;
  readonly atNs: bigint;
}

export class Ledger {
  readonly #delivered = new Map<number, bigint>();
  /** When somebody first set out to remove the message. */
  readonly #removed = new Map<number, bigint>();
  readonly #missed: Sighting[] = [];
  readonly #openings: {
    readonly fromNs: bigint;
    readonly toNs: bigint;
    readonly serials: Set<number>;
  }[] = [];

  noteDelivery(serial: number, atNs: bigint): void {
    this.#delivered.set(serial, atNs);
  }

  /** Somebody is about to remove it, for good. */
  noteRemoval(serial: number, atNs: bigint): void {
    if (!this.#removed.has(serial)) this.#removed.set(serial, atNs);
  }

  /** A session said, not later than this, that a message is gone. */
  noteMissed(serial: number): void {
    this.#missed.push({ serial, atNs: process.hrtime.bigint() });
  }

  /** A session was opened, and its first list read, in this span. */
  noteOpening(fromNs: bigint, toNs: bigint, serials: Iterable<number>): void {
    this.#openings.push({ fromNs, toNs, serials: new Set(serials) });
  }

  get openingCount(): number {
    return this.#openings.length;
  }

  get missedCount(): number {
    return this.#missed.length;
  }

  get deliveredCount(): number {
    return this.#delivered.size;
  }

  /** Messages that a session called gone before anybody had removed them. */
  falselyMissed(): Sighting[] {
    return this.#missed.filter(({ serial, atNs }) => {
      const removedNs = this.#removed.get(serial);
      return removedNs === undefined || removedNs > atNs;
    });
  }

  /** Messages that were there all the time while a session was opened, and that it did not list. */
  falselyUnlisted(): number[] {
    return this.#openings.flatMap(({ fromNs, toNs, serials }) =>
      [...this.#delivered]
        .filter(([serial, deliveredNs]) => {
          const removedNs = this.#removed.get(serial);
          const isThroughout =
            deliveredNs < fromNs && (removedNs === undefined || removedNs > toNs);
          return isThroughout && !serials.has(serial);
        })
        .map(([serial]) => serial),
    );
  }

  /** What must be in the Maildir when all is over, in order. */
  remaining(): number[] {
    return [...this.#delivered.keys()]
      .filter((serial) => !this.#removed.has(serial))
      .sort((a, b) => a - b);
  }
}
