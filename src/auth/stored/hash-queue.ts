// How many passwords are hashed at a time in this process: a flood of logins waits here and not for memory, processors or
// the threads that files are read with.

import { availableParallelism } from 'node:os';

/** Too many logins wait already; nothing was hashed. */
export class HashQueueFullError extends Error {}

/** How many may wait: at about 50 ms each, more would pass any login deadline before their turn comes. */
const maxWaiting = 512;

export class HashQueue {
  readonly #concurrency: number;
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param concurrency how many run at a time, at least 1 */
  constructor(concurrency: number, waiting = maxWaiting) {
    this.#concurrency = concurrency;
    this.#maxWaiting = waiting;
  }

  /** Runs `work` in its turn. @throws HashQueueFullError, or whatever `work` throws */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#concurrency) this.#running += 1;
    else await this.#turn();
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next(); // The place goes from one to the next: #running stays.
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= this.#maxWaiting) {
      return Promise.reject(new HashQueueFullError('too many logins wait for password hashing'));
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/**
 * Two at a time for each processor, but never all threads of the pool that libuv serves files with (UV_THREADPOOL_SIZE, 4
 * unless set): the last two are left for other sessions' mail.
 */
export function hashConcurrency(environment: NodeJS.ProcessEnv): number {
  const threads = Number(environment['UV_THREADPOOL_SIZE'] ?? 4) || 4;
  return Math.max(1, Math.min(2 * availableParallelism(), threads - 2));
}

/** The queue that all sessions of this process share. */
export const processHashQueue = new HashQueue(hashConcurrency(process.env));
