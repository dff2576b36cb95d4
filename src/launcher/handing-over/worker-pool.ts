// Gives connections to workers that are kept started. A connection goes to the least loaded one,
// and stays the launcher's until the worker says that it took it. doc/tcpsrun-worker.7.

import type { Log } from '../../system/log/log.js';
import { ucspiVariables } from './connection-facts.js';
import type { AdmittedConnection, HandOver, Session } from './hand-over.js';
import { KeptWorkers } from './kept-workers.js';
import type { Service } from './run-file-parameters.js';
import { WorkerPlans } from './worker-plans.js';
import type { WorkerProcess, WorkerTimes } from './worker-process.js';

export interface WorkerPoolOptions {
  readonly service: Service;
  readonly log: Log;
  /** Workers kept started, 1 or more. */
  readonly workerCount: number;
  /** A worker is replaced after so many sessions; 0: never. */
  readonly sessionsPerWorker: number;
  /**
   * How many connections may wait for a worker now, each with a descriptor; Infinity when not
   * given.
   */
  readonly waiting?: () => number;
  /** Serves the connections that no worker can. */
  readonly otherwise: HandOver;
  /** Undefined: the usual ones. */
  readonly times?: WorkerTimes;
}

/** A run file that the workers serve. */
interface ServedRunFile {
  readonly plans: WorkerPlans;
  /** Serves the connections that no worker can. */
  readonly otherwise: HandOver;
  /** Whether workers were started with its arguments, so that their greeting is its own. */
  readonly isOwn: boolean;
}

/** A connection that waits for a worker, or is offered to one. */
interface Job {
  readonly runFile: ServedRunFile;
  readonly connection: AdmittedConnection;
  readonly argv: readonly string[];
  isGreeted: boolean;
  /** Workers that died before they took it. */
  deaths: number;
  readonly settle: (session: Session) => void;
  readonly fail: (error: unknown) => void;
}

/** When so many workers died while they had this connection, it may be the cause. */
const maxDeaths = 5;

export class WorkerPool implements HandOver {
  readonly isCostly: boolean;
  readonly #own: ServedRunFile;
  readonly #maxWaiting: () => number;
  readonly #workers: KeptWorkers;
  readonly #waiting: Job[] = [];
  #nextId = 1;

  /** Starts nothing yet. */
  constructor({ service, otherwise, waiting = () => Infinity, ...options }: WorkerPoolOptions) {
    this.isCostly = options.sessionsPerWorker === 1;
    this.#own = { plans: new WorkerPlans(service), otherwise, isOwn: true };
    this.#maxWaiting = waiting;
    this.#workers = new KeptWorkers({
      ...options,
      plans: this.#own.plans,
      onFree: () => this.#dispatch(),
      onFewer: () => this.#serveStranded(),
    });
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Starts the workers. */
  start(): void {
    this.#workers.start();
  }

  /** Replaces every worker; each ends with its last session. */
  replace(why: string): void {
    this.#workers.replace(why);
  }

  /** Starts no more workers; those that are there end with their last sessions. */
  close(): void {
    this.#workers.close();
  }

  serve(connection: AdmittedConnection): Promise<Session> {
    return this.#serve(connection, this.#own);
  }

  /**
   * Serves another run file's connections with the same workers, as long as its program, directory
   * and lasting environment are the same.
   */
  alsoFor(service: Service, otherwise: HandOver): HandOver {
    const runFile = { plans: new WorkerPlans(service), otherwise, isOwn: false };
    const serve: HandOver['serve'] = (connection) => this.#serve(connection, runFile);
    return { isCostly: this.isCostly, serve };
  }

  async #serve(connection: AdmittedConnection, runFile: ServedRunFile): Promise<Session> {
    const { signature, argv } = runFile.plans.of(connection);
    if (!this.#workers.areFor(signature) || !this.#workers.hasReady) {
      const session = await runFile.otherwise.serve(connection);
      void this.#learnFrom(session);
      return session;
    }
    if (this.#waiting.length >= this.#maxWaiting()) {
      throw new Error('too many connections wait for a worker');
    }
    return new Promise((settle, fail) => {
      this.#waiting.push({ runFile, connection, argv, isGreeted: false, deaths: 0, settle, fail });
      this.#dispatch();
    });
  }

  /** Where a process of its own could serve, workers might. */
  async #learnFrom({ ended }: Session): Promise<void> {
    if ((await ended).status === 0) this.#workers.tryAgain();
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const worker = this.#workers.leastLoaded;
      if (worker === undefined) return;
      const job = this.#waiting.shift();
      if (job !== undefined) void this.#offer(job, worker);
    }
  }

  async #offer(job: Job, worker: WorkerProcess): Promise<void> {
    const { socket, facts, level, hear, onNoRoom } = job.connection;
    if (job.runFile.isOwn && !job.isGreeted && worker.greeting !== null && level > 0) {
      socket.write(worker.greeting);
      job.isGreeted = true;
    }
    const offering = worker.offer(
      {
        kind: 'connection',
        id: this.#nextId++,
        arguments: job.argv,
        environment: ucspiVariables(facts, job.connection),
        network: job.connection.source,
        isGreeted: job.isGreeted,
      },
      socket,
      hear,
    );
    this.#workers.retireIfSpent(worker);
    const offer = await offering;
    if (offer.offer === 'full') {
      // It has no session that could end, so its limit of descriptors is too low for any.
      if (worker.sessionCount === 0) this.#serveWithoutWorker(job);
      else {
        this.#waiting.unshift(job);
        if (this.#workers.leastLoaded === undefined) onNoRoom();
      }
      this.#dispatch();
      return;
    }
    if (offer.offer === 'died') {
      // Nobody read an octet of it: the next worker gets it as it is, before those that came later.
      job.deaths += 1;
      if (job.deaths < maxDeaths) this.#waiting.unshift(job);
      else this.#serveWithoutWorker(job);
      this.#dispatch();
      this.#serveStranded();
      return;
    }
    socket.destroy();
    const { ended, evict, kick } = offer;
    job.settle({ pid: worker.pid, ended, evict, kick, isStarting: false });
  }

  /**
   * While no worker is ready, connections that were not greeted get processes of their own. Those
   * that were greeted wait for a worker as long as one is expected.
   */
  #serveStranded(): void {
    if (this.#waiting.length === 0 || this.#workers.hasReady) return;
    const { isOneExpected } = this.#workers;
    const jobs = this.#waiting.splice(0);
    for (const job of jobs) {
      if (job.isGreeted && isOneExpected) this.#waiting.push(job);
      else this.#serveWithoutWorker(job);
    }
  }

  #serveWithoutWorker({ connection, runFile, isGreeted, settle, fail }: Job): void {
    // A program of its own would greet again, which no client expects.
    if (isGreeted) fail(new Error('greeted, but no worker is left'));
    else runFile.otherwise.serve(connection).then(settle, fail);
  }
}
