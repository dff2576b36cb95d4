// What was delivered, what clients were told of it, and what they had removed; and whether all of that can be true at once.

import {
  baseNameOf,
  contentOf,
  octetsOf,
  sentContentOf,
  serialOf,
} from '../../torture/numbered-message.js';

/** Milliseconds of a clock that nobody sets, everywhere in here. */
interface Entry {
  readonly user: string;
  /** Null: whether it was delivered is not known. */
  deliveredMs: number | null;
  /** When a client first sent QUIT after DELE of it. */
  firstQuitMs: number;
  /** When the first such QUIT was answered with +OK. */
  removedMs: number;
}

export interface Listing {
  readonly user: string;
  /** When PASS was sent. */
  readonly fromMs: number;
  /** When the list was there. */
  readonly toMs: number;
  /** Unique-ids. */
  readonly ids: readonly string[];
}

export class MailLedger {
  readonly faults: string[] = [];
  /** Messages that were listed when they had been removed for seconds. */
  ghosts = 0;
  readonly #visibleMs: number;
  readonly #entries = new Map<number, Entry>();
  readonly #byUser = new Map<string, Set<number>>();
  #serial = 0;

  /** @param visibleMs after so long a message that was delivered must be listed everywhere */
  constructor(visibleMs: number) {
    this.#visibleMs = visibleMs;
  }

  /** @returns the serial number of the next message, of which it is not known whether it arrives */
  beginDelivery(user: string): number {
    this.#serial += 1;
    this.#entries.set(this.#serial, {
      ...{ user, deliveredMs: null, firstQuitMs: Infinity, removedMs: Infinity },
    });
    const serials = this.#byUser.get(user) ?? new Set();
    this.#byUser.set(user, serials.add(this.#serial));
    return this.#serial;
  }

  noteDelivered(serial: number): void {
    this.#at(serial).deliveredMs = performance.now();
  }

  /** It was given up before anybody could see it. */
  forget(serial: number): void {
    this.#byUser.get(this.#at(serial).user)?.delete(serial);
    this.#entries.delete(serial);
  }

  noteListing({ user, fromMs, toMs, ids }: Listing): void {
    const serials = new Set(ids.map(serialOf));
    if (serials.size < ids.length) this.faults.push(`${user}: listed twice: ${ids.join(' ')}`);
    for (const serial of serials) {
      const entry = this.#entries.get(serial);
      if (entry?.user !== user) this.faults.push(`${user}: a message of nobody's: ${serial}`);
      else if (entry.removedMs + this.#visibleMs < fromMs) this.ghosts += 1;
    }
    for (const serial of this.#byUser.get(user) ?? []) {
      const { deliveredMs, firstQuitMs } = this.#at(serial);
      const isThere =
        deliveredMs !== null && deliveredMs + this.#visibleMs < fromMs && firstQuitMs > toMs;
      if (!isThere || serials.has(serial)) continue;
      const ageMs = (fromMs - deliveredMs).toFixed(0);
      this.faults.push(`${user}: ${serial} is not listed, ${ageMs} ms old, among ${ids.length}`);
    }
  }

  /** One that cannot be read just now is listed with the size of its file. */
  noteOctets(id: string, octets: number): void {
    const serial = serialOf(id);
    if (octets === octetsOf(serial) || octets === contentOf(serial).length) return;
    this.faults.push(`${id} was listed with ${octets} octets`);
  }

  noteRetrieved(id: string, text: string): void {
    if (text !== sentContentOf(serialOf(id))) this.faults.push(`${id} was sent otherwise`);
  }

  /** A client was told that a message is not there. */
  noteMissing(id: string, reply: string): void {
    const { user, firstQuitMs } = this.#at(serialOf(id));
    if (firstQuitMs > performance.now()) this.faults.push(`${user}: ${id}: ${reply}`);
  }

  /** A client is about to send QUIT after DELE of these. @returns to be called when it is answered with +OK */
  noteQuit(ids: readonly string[]): () => void {
    const entries = ids.map((id) => this.#at(serialOf(id)));
    const nowMs = performance.now();
    for (const entry of entries) entry.firstQuitMs = Math.min(entry.firstQuitMs, nowMs);
    return () => {
      for (const entry of entries) entry.removedMs = Math.min(entry.removedMs, performance.now());
    };
  }

  get deliveredCount(): number {
    return [...this.#entries.values()].filter(({ deliveredMs }) => deliveredMs !== null).length;
  }

  get removedCount(): number {
    return [...this.#entries.values()].filter(({ removedMs }) => removedMs < Infinity).length;
  }

  /**
   * When all is over.
   *
   * @param names all base names in a user's maildrop, as often as they are there
   */
  settle(user: string, names: readonly string[], where: string): void {
    const present = new Map<number, number>();
    for (const name of names) present.set(serialOf(name), (present.get(serialOf(name)) ?? 0) + 1);
    for (const serial of this.#byUser.get(user) ?? []) {
      const { deliveredMs, firstQuitMs, removedMs } = this.#at(serial);
      const count = present.get(serial) ?? 0;
      present.delete(serial);
      const name = `${user}: ${baseNameOf(serial)}, ${where}:`;
      if (count > 1) this.faults.push(`${name} ${count} times`);
      if (count === 0 && deliveredMs !== null && firstQuitMs === Infinity) {
        this.faults.push(`${name} LOST`);
      }
      if (count > 0 && removedMs < Infinity) this.faults.push(`${name} there after +OK to QUIT`);
    }
    for (const serial of present.keys()) this.faults.push(`${user}: nobody's message ${serial}`);
  }

  #at(serial: number): Entry {
    const entry = this.#entries.get(serial);
    if (entry === undefined) throw new Error(`no message ${serial}`);
    return entry;
  }
}
