// How many passwords are hashed at a time in this process: a flood of logins waits here and not for
// memory, processors or the threads that files are read with. The networks' requests are served
// alternately, so that a network that guesses passwords delays only itself.

import { availableParallelism } from 'node:os';

/** Too many logins wait already; nothing was hashed. */
export class HashQueueFullError extends Error {
  constructor() {
    super('too many logins wait for password hashing');
  }
}

interface Waiter {
  begin(): void;
  refuse(error: HashQueueFullError): void;
}

/** How many may wait: at about 50 ms each, more would pass any login deadline before they begin. */
const maxWaiting = 512;

export class HashQueue {
  readonly #concurrency: number;
  readonly #maxWaiting: number;
  /** By network; the one that is served next comes first. None is empty. */
  readonly #waiting = new Map<string, Waiter[]>();
  #waitingCount = 0;
  #running = 0;

  /** @param concurrency how many run at a time, at least 1 */
  constructor(concurrency: number, waiting = maxWaiting) {
    this.#concurrency = concurrency;
    this.#maxWaiting = waiting;
  }

  /**
   * Runs `work` when those before it are done: after the earlier ones of its network, and one of
   * each other network.
   *
   * @throws HashQueueFullError, or whatever `work` throws
   */
  async run<T>(network: string, work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#concurrency) this.#running += 1;
    else await this.#wait(network);
    try {
      return await work();
    } finally {
      const next = this.#takeNext();
      if (next === undefined) this.#running -= 1;
      else next.begin(); // It runs in the place of the one that ends: #running stays.
    }
  }

  #wait(network: string): Promise<void> {
    if (this.#waitingCount >= this.#maxWaiting && !this.#makeRoom(network)) {
      return Promise.reject(new HashQueueFullError());
    }
    return new Promise((begin, refuse) => {
      const waiters = this.#waiting.get(network);
      if (waiters === undefined) this.#waiting.set(network, [{ begin, refuse }]);
      else waiters.push({ begin, refuse });
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
    longest.pop()?.refuse(new HashQueueFullError());
    this.#waitingCount -= 1;
    return true;
  }

  #takeNext(): Waiter | undefined {
    for (const [network, waiters] of this.#waiting) {
      const next = waiters.shift();
      this.#waiting.delete(network);
      if (waiters.length > 0) this.#waiting.set(network, waiters);
      this.#waitingCount -= 1;
      return next;
    }
    return undefined;
  }
}

/**
 * Two at a time for each processor, but never all threads of the pool that libuv serves files with
 * (UV_THREADPOOL_SIZE, 4 unless set): the last two are left for other sessions' mail.
 */
export function hashConcurrency(environment: NodeJS.ProcessEnv): number {
  const threads = Number(environment['UV_THREADPOOL_SIZE'] ?? 4) || 4;
  return Math.max(1, Math.min(2 * availableParallelism(), threads - 2));
}

/** The queue that all sessions of this process share. */
export const processHashQueue = new HashQueue(hashConcurrency(process.env));
