// A time by which something must have happened. It is moved on with every command and hardly ever
// comes, so moving it costs no timer: the one that runs looks, when it fires, how much time is
// left.

export class Deadline {
  readonly #onDue: () => void;
  #timer: NodeJS.Timeout | undefined;
  /** Times of performance.now(). */
  #dueMs = Number.POSITIVE_INFINITY;
  #firesAtMs = Number.POSITIVE_INFINITY;

  constructor(onDue: () => void) {
    this.#onDue = onDue;
  }

  /** @param ms from now on, in the place of what was set before */
  set(ms: number): void {
    const now = performance.now();
    this.#dueMs = now + ms;
    if (this.#dueMs < this.#firesAtMs) this.#arm(now);
  }

  get hasPassed(): boolean {
    return performance.now() >= this.#dueMs;
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#firesAtMs = Number.POSITIVE_INFINITY;
  }

  #arm(now: number): void {
    clearTimeout(this.#timer);
    this.#firesAtMs = this.#dueMs;
    this.#timer = setTimeout(this.#onTimer, Math.ceil(this.#dueMs - now));
  }

  readonly #onTimer = (): void => {
    this.#firesAtMs = Number.POSITIVE_INFINITY;
    const now = performance.now();
    // Timers are a millisecond early at times.
    if (now < this.#dueMs - 1) this.#arm(now);
    else this.#onDue();
  };
}
