// How each listener gives its connections away: to programs of their own, or to kept workers, which
// listeners share whose run files differ in nothing but arguments.

import type { Log } from '../../system/log/log.js';
import type { HandOver } from '../handing-over/hand-over.js';
import { processPerConnection } from '../handing-over/process-per-connection.js';
import type { Service } from '../handing-over/run-file-parameters.js';
import { trySignature } from '../handing-over/worker-plans.js';
import { WorkerPool, type WorkerPoolOptions } from '../handing-over/worker-pool.js';
import { heldLimit } from '../listening/descriptor-limit.js';

/** How many workers are kept started, and for how long. */
export type WorkerSettings = Pick<WorkerPoolOptions, 'workerCount' | 'sessionsPerWorker'>;

export interface HandOvers {
  /** One for each service, in order. */
  readonly all: readonly HandOver[];
  /** Of all pools of workers. */
  readonly workerCount: number;
  /** Starts the workers. */
  start(): void;
  /** Replaces them. */
  replace(why: string): void;
  /** Starts no more; those that are there end with their last sessions. */
  close(): void;
}

/** @param workers null: a program is started for each connection */
export function handOversFor(
  services: readonly Service[],
  workers: WorkerSettings | null,
  log: Log,
): HandOvers {
  const pools: WorkerPool[] = [];
  const bySignature = new Map<string, WorkerPool>();
  const handOverFor = (service: Service): HandOver => {
    const otherwise = processPerConnection(service);
    if (workers === null) return otherwise;
    const signature = trySignature(service);
    const shared = signature === null ? undefined : bySignature.get(signature);
    if (shared !== undefined) return shared.alsoFor(service, otherwise);
    const pool: WorkerPool = new WorkerPool({
      ...{ service, log, otherwise, ...workers },
      waiting: heldLimit(Infinity, () => pool.waitingCount),
    });
    pools.push(pool);
    if (signature !== null) bySignature.set(signature, pool);
    return pool;
  };
  return {
    all: services.map(handOverFor),
    workerCount: pools.length * (workers?.workerCount ?? 0),
    start: () => {
      for (const pool of pools) pool.start();
    },
    replace: (why) => {
      for (const pool of pools) pool.replace(why);
    },
    close: () => {
      for (const pool of pools) pool.close();
    },
  };
}
