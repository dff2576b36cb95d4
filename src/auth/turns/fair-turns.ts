// Who may use something of which there is little, such as processor time or connections to a
// database: a flood of logins waits here. The networks' requests are served alternately, so that a
// network that guesses passwords delays only itself.

/** Too many wait already, or this one waited too long; the work was not begun. */
export class NoTurnError extends Error {}

export interface TurnsOptions {
  /** How many run at a time, at least 1. */
  readonly concurrency: number;
  /** How many of one network run at a time; as many as run at all by default. */
  readonly perNetwork?: number;
  readonly maxWaiting: number;
  /** How long one may wait; for ever by default. */
  readonly maxWaitMs?: number;
  /** What they wait for, as in "too many logins wait for password hashing". */
  readonly purpose: string;
}

interface Waiter {
  begin(): void;
  refuse(error: NoTurnError): void;
}

export class FairTurns {
  readonly #options: TurnsOptions;
  /** By network; the one that is served next comes first. None is empty. */
  readonly #waiting = new Map<string, Waiter[]>();
  #waitingCount = 0;
  #running = 0;
  readonly #runningByNetwork = new Map<string, number>();

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  get hasWaiting(): boolean {
    return this.#waitingCount > 0;
  }

  /**
   * Runs `work` when those before it are done: after the earlier ones of its network, and one of
   * each other network.
   *
   * @throws NoTurnError, or whatever `work` throws
   */
  async run<T>(network: string, work: () => Promise<T>): Promise<T> {
    if (this.#mayBegin(network)) this.#count(network, 1);
    else await this.#wait(network);
    try {
      return await work();
    } finally {
      this.#count(network, -1);
      this.#beginNext();
    }
  }

  #mayBegin(network: string): boolean {
    const { concurrency, perNetwork = concurrency } = this.#options;
    return this.#running < concurrency && (this.#runningByNetwork.get(network) ?? 0) < perNetwork;
  }

  #count(network: string, change: 1 | -1): void {
    this.#running += change;
    const count = (this.#runningByNetwork.get(network) ?? 0) + change;
    if (count === 0) this.#runningByNetwork.delete(network);
    else this.#runningByNetwork.set(network, count);
  }

  #wait(network: string): Promise<void> {
    const { maxWaiting, maxWaitMs, purpose } = this.#options;
    if (this.#waitingCount >= maxWaiting && !this.#makeRoom(network)) {
      return Promise.reject(this.#tooMany());
    }
    return new Promise((resolve, reject) => {
      const timer =
        maxWaitMs === undefined
          ? undefined
          : setTimeout(() => {
              this.#leave(network, waiter);
              reject(new NoTurnError(`no turn for ${purpose} within ${maxWaitMs / 1000} s`));
            }, maxWaitMs);
      const waiter: Waiter = {
        begin: () => {
          clearTimeout(timer);
          resolve();
        },
        refuse: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      const waiters = this.#waiting.get(network);
      if (waiters === undefined) this.#waiting.set(network, [waiter]);
      else waiters.push(waiter);
      this.#waitingCount += 1;
    });
  }

  /** Refuses the newest of the network that has the most, unless `network` has as many. */
  #makeRoom(network: string): boolean {
    let longest: Waiter[] = [];
    for (const waiters of this.#waiting.values()) {
      if (waiters.length > longest.length) longest = waiters;
    }
    if (longest.length <= (this.#waiting.get(network)?.length ?? 0) + 1) return false;
    longest.pop()?.refuse(this.#tooMany());
    this.#waitingCount -= 1;
    return true;
  }

  #tooMany(): NoTurnError {
    return new NoTurnError(`too many logins wait for ${this.#options.purpose}`);
  }

  #leave(network: string, waiter: Waiter): void {
    const left = (this.#waiting.get(network) ?? []).filter((other) => other !== waiter);
    if (left.length === 0) this.#waiting.delete(network);
    else this.#waiting.set(network, left);
    this.#waitingCount -= 1;
  }

  #beginNext(): void {
    for (const [network, waiters] of this.#waiting) {
      if (!this.#mayBegin(network)) continue;
      const next = waiters.shift();
      this.#waiting.delete(network);
      if (waiters.length > 0) this.#waiting.set(network, waiters);
      this.#waitingCount -= 1;
      // Counted here: what comes before its work begins must not take its place.
      this.#count(network, 1);
      next?.begin();
      return;
    }
  }
}
