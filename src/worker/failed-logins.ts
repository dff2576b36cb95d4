// How often each source failed to log in lately. Bounded: it forgets, and it remembers only so many
// sources. tcpsrun counts for all its programs, each kept worker for its own sessions.

/** For each time so long after the last one, one failed login is forgotten. */
const forgetMs = 60_000;

/** More are not counted, so that everything is forgotten ten minutes after the last one. */
const maxCount = 10;

interface Entry {
  readonly count: number;
  /** When the last one of them was counted. */
  readonly lastMs: number;
}

export class FailedLogins {
  readonly #maxSources: number;
  readonly #now: () => number;
  /** The source that failed longest ago comes first. */
  readonly #bySource = new Map<string, Entry>();

  /**
   * @param maxSources how many are remembered; the one that failed longest ago makes room
   * @param now milliseconds of a clock that never goes back
   */
  constructor(maxSources: number, now: () => number) {
    this.#maxSources = maxSources;
    this.#now = now;
  }

  get sourceCount(): number {
    return this.#bySource.size;
  }

  add(source: string): void {
    const count = Math.min(maxCount, this.countOf(source) + 1);
    // Taken out and put in again, it comes last.
    this.#bySource.delete(source);
    this.#bySource.set(source, { count, lastMs: this.#now() });
    if (this.#bySource.size > this.#maxSources) {
      for (const [oldest] of this.#bySource) {
        this.#bySource.delete(oldest);
        break;
      }
    }
  }

  /** @returns 0 to 10 */
  countOf(source: string): number {
    const entry = this.#bySource.get(source);
    if (entry === undefined) return 0;
    const left = entry.count - Math.floor((this.#now() - entry.lastMs) / forgetMs);
    if (left > 0) return left;
    this.#bySource.delete(source);
    return 0;
  }
}
