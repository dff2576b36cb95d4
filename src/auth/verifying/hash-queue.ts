// How many passwords are hashed at a time in this process: a flood of logins waits here and not for
// memory, processors or the threads that files are read with.

import { availableParallelism } from 'node:os';
import { FairTurns } from '../turns/fair-turns.js';

/** How many may wait: at about 50 ms each, more would pass any login deadline before they begin. */
const maxWaiting = 512;

/**
 * Two at a time for each processor, but never all threads of the pool that libuv serves files with
 * (UV_THREADPOOL_SIZE, 4 unless set): the last two are left for other sessions' mail.
 */
export function hashConcurrency(environment: NodeJS.ProcessEnv): number {
  const threads = Number(environment['UV_THREADPOOL_SIZE'] ?? 4) || 4;
  return Math.max(1, Math.min(2 * availableParallelism(), threads - 2));
}

/** The queue that all sessions of this process share. */
export const processHashQueue = new FairTurns({
  concurrency: hashConcurrency(process.env),
  maxWaiting,
  purpose: 'password hashing',
});
