// Keeps as many workers started as are wanted: replaces those that retire or end, and waits longer
// and longer between starts that come to nothing.

import { exitCode } from '../../system/failures/exit-code.js';
import type { Log } from '../../system/log/log.js';
import { startProgram } from '../../run-file/start-program.js';
import { workerVariable } from '../../worker/worker-protocol.js';
import type { WorkerPlans } from './worker-plans.js';
import { WorkerProcess, type WorkerTimes } from './worker-process.js';

export interface KeptWorkersOptions {
  readonly plans: WorkerPlans;
  readonly log: Log;
  /** 1 or more. */
  readonly workerCount: number;
  /** A worker is replaced after so many sessions; 0: never. */
  readonly sessionsPerWorker: number;
  /** Undefined: the usual ones. */
  readonly times?: WorkerTimes | undefined;
  /** One of them may be given a connection. */
  readonly onFree: () => void;
  /** One of them ended, or could not be started. */
  readonly onFewer: () => void;
}

/** After a worker that ends sooner the next one waits, each time twice as long. */
const youngMs = 1000;
const firstBackOffMs = 100;
const longestBackOffMs = 30_000;

/**
 * So many starts in a row that end with a fault of configuration, and nobody starts workers until
 * something has changed.
 */
const mostFaultyStarts = 3;

export class KeptWorkers {
  readonly #options: KeptWorkersOptions;
  readonly #workers = new Set<WorkerProcess>();
  /** Those of them that serve only until the workers that replace them are ready. */
  readonly #outgoing = new Set<WorkerProcess>();
  #whyOutgoing = '';
  /** Why all are to be replaced once more when the present replacement is done. */
  #whyAgain: string | null = null;
  /** What they were started with. */
  #signature = '';
  /** Started, but not among the workers yet. */
  #beingStarted = 0;
  #backOffMs = 0;
  #backOffTimer: NodeJS.Timeout | undefined;
  /** Starts in a row that ended with a fault of configuration. */
  #faultyStarts = 0;
  #isClosed = false;

  constructor(options: KeptWorkersOptions) {
    this.#options = options;
  }

  get hasReady(): boolean {
    for (const worker of this.#workers) if (worker.isReady) return true;
    return false;
  }

  /** Whether one is there or is being started, ready or not. */
  get isOneExpected(): boolean {
    return this.#workers.size + this.#beingStarted > 0;
  }

  /** Of those that can be offered a connection now, the one with the fewest sessions. */
  get leastLoaded(): WorkerProcess | undefined {
    let best: WorkerProcess | undefined;
    for (const worker of this.#workers) {
      if (worker.isFree && worker.sessionCount < (best?.sessionCount ?? Infinity)) best = worker;
    }
    return best;
  }

  /** Starts workers until there are as many as wanted; during a back-off none. */
  start(): void {
    if (this.#isClosed || this.#backOffTimer !== undefined || this.#hasGivenUp) return;
    const wanted = this.#options.workerCount - this.#newCount - this.#beingStarted;
    for (let missing = wanted; missing > 0; missing -= 1) void this.#startOne();
  }

  /** Something has changed: the configuration that workers ended with may be right now. */
  tryAgain(): void {
    if (!this.#hasGivenUp) return;
    this.#faultyStarts = 0;
    this.start();
  }

  /**
   * Whether these workers are what a connection needs. When the run file changed they are replaced.
   *
   * @throws RunFileError
   */
  areFor(signature: string): boolean {
    if (signature === this.#signature) return true;
    const { signature: wanted } = this.#options.plans.ofWorkers();
    if (wanted !== this.#signature) {
      this.#signature = wanted;
      this.#faultyStarts = 0;
      for (const worker of [...this.#workers]) this.#retire(worker, 'the run file changed');
      this.start();
    }
    return signature === wanted;
  }

  /** To be called after each connection that a worker was offered. */
  retireIfSpent(worker: WorkerProcess): void {
    const { sessionsPerWorker } = this.#options;
    if (sessionsPerWorker === 0 || worker.givenCount < sessionsPerWorker) return;
    this.#forget(worker);
    worker.retire();
    this.start();
  }

  /**
   * Replaces every worker. Those that are ready serve until the new ones are; then each ends with
   * its last session. Called meanwhile, it begins again when that is done: however often it is
   * called, only so many processes start.
   */
  replace(why: string): void {
    this.#faultyStarts = 0;
    if (this.#outgoing.size > 0 || this.#beingStarted > 0) {
      this.#whyAgain = why;
      return;
    }
    this.#whyOutgoing = why;
    for (const worker of [...this.#workers]) {
      if (worker.isReady) this.#outgoing.add(worker);
      else this.#retire(worker, why);
    }
    this.start();
  }

  /** Starts no more; those that are there end with their last sessions. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#backOffTimer);
    for (const worker of this.#workers) worker.retire();
  }

  async #startOne(): Promise<void> {
    this.#beingStarted += 1;
    let why: string | null = null;
    try {
      await this.#startProcess();
    } catch (error) {
      why = (error as Error).message;
    }
    this.#beingStarted -= 1;
    if (why !== null) this.#backOff(why);
  }

  async #startProcess(): Promise<void> {
    const { plans, sessionsPerWorker, log, times } = this.#options;
    const { launch, signature } = plans.ofWorkers();
    this.#signature = signature;
    const environment = new Map(launch.environment);
    environment.set(workerVariable, String(sessionsPerWorker));
    const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const;
    const program = await startProgram({ ...launch, environment }, [...stdio]);
    const onRetire = (retiring: WorkerProcess, why: string): void => {
      this.#retire(retiring, why);
      this.start();
    };
    const onFree = (): void => {
      this.#finishReplacement();
      this.#options.onFree();
    };
    const worker = new WorkerProcess(program, { onFree, onRetire }, times);
    this.#workers.add(worker);
    log.write('worker', { pid: worker.pid });
    void this.#watch(worker);
    if (this.#isClosed) worker.retire();
  }

  async #watch(worker: WorkerProcess): Promise<void> {
    const { status, signal } = await worker.ended;
    this.#options.log.write('worker-end', {
      pid: worker.pid,
      status: status ?? undefined,
      signal: signal ?? undefined,
      sessions: worker.givenCount,
    });
    // A retired one was replaced already.
    if (!this.#forget(worker) || this.#isClosed) return;
    const isYoung = performance.now() - worker.startedMs < youngMs && worker.givenCount === 0;
    if (status === exitCode.permanent && !worker.wasReady) this.#noteFault();
    else if (isYoung) this.#backOff('workers end as soon as they are started');
    else if (!worker.wasReady) this.#backOff(whyNotReady(status));
    else {
      this.#backOffMs = 0;
      this.#faultyStarts = 0;
      this.start();
    }
    this.#options.onFewer();
  }

  get #hasGivenUp(): boolean {
    return this.#faultyStarts >= mostFaultyStarts;
  }

  /** Workers that were started together end together, and count once. */
  #noteFault(): void {
    if (this.#isClosed || this.#backOffTimer !== undefined || this.#hasGivenUp) return;
    this.#faultyStarts += 1;
    const what = 'a worker ends with a fault of configuration, which its line above names';
    if (this.#faultyStarts >= mostFaultyStarts) {
      this.#options.log.write('warning', {
        why: `${what}; none is started before SIGHUP, another run file, or a session that works`,
      });
      this.#options.onFewer();
    } else this.#backOff(what);
  }

  get #newCount(): number {
    return this.#workers.size - this.#outgoing.size;
  }

  /** @returns false when it was not among the workers any more */
  #forget(worker: WorkerProcess): boolean {
    this.#outgoing.delete(worker);
    return this.#workers.delete(worker);
  }

  #finishReplacement(): void {
    if (this.#outgoing.size === 0 && this.#whyAgain === null) return;
    for (const worker of this.#workers) {
      if (!worker.isReady) return;
    }
    if (this.#newCount < this.#options.workerCount) return;
    for (const worker of [...this.#outgoing]) this.#retire(worker, this.#whyOutgoing);
    const why = this.#whyAgain;
    this.#whyAgain = null;
    if (why !== null) this.replace(why);
  }

  #backOff(why: string): void {
    if (this.#isClosed || this.#backOffTimer !== undefined) return;
    this.#backOffMs = Math.min(longestBackOffMs, Math.max(firstBackOffMs, this.#backOffMs * 2));
    this.#options.log.write('warning', { why, retry: this.#backOffMs / 1000 });
    this.#backOffTimer = setTimeout(() => {
      this.#backOffTimer = undefined;
      this.start();
    }, this.#backOffMs).unref();
    this.#options.onFewer();
  }

  #retire(worker: WorkerProcess, why: string): void {
    if (!this.#forget(worker)) return;
    this.#options.log.write('worker-retired', { pid: worker.pid, why });
    worker.retire();
  }
}

function whyNotReady(status: number | null): string {
  return status === exitCode.temporary
    ? 'a worker ends before it is ready, and says that it is for a while'
    : 'the program is no worker';
}
