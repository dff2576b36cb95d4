// Workers kept started: connections go to the least loaded one, and stay the launcher's until it says that it took them.

import type { Log } from '../../system/log/log.js';
import { runFileUsesVariables, type Launch } from '../../run-file/evaluate-run-file.js';
import { readRunFile } from '../../run-file/read-run-file.js';
import type { RunFile } from '../../run-file/run-file.js';
import { startProgram } from '../../run-file/start-program.js';
import { workerVariable } from '../../worker/worker-protocol.js';
import { sourceOf } from '../rules/address.js';
import {
  ucspiEnvironment,
  ucspiVariables,
  unknownConnection,
  unknownStanding,
} from './connection-facts.js';
import {
  planLaunch,
  type AdmittedConnection,
  type HandOver,
  type Service,
  type Session,
} from './hand-over.js';
import { WorkerProcess, type WorkerEvents, type WorkerTimes } from './worker-process.js';

export interface WorkerPoolOptions {
  readonly service: Service;
  readonly log: Log;
  /** Workers kept started, 1 or more. */
  readonly workerCount: number;
  /** A worker is replaced after so many sessions; 0: never. */
  readonly sessionsPerWorker: number;
  /** Serves the connections that no worker can. */
  readonly otherwise: HandOver;
  /** Undefined: the usual ones. */
  readonly times?: WorkerTimes;
}

interface Job {
  readonly connection: AdmittedConnection;
  readonly argv: readonly string[];
  isGreeted: boolean;
  /** Workers that died with it in their hands. */
  deaths: number;
  readonly settle: (session: Session) => void;
  readonly fail: (error: unknown) => void;
}

interface Plan {
  readonly signature: string;
  readonly argv: readonly string[];
}

/** Levels whose plans are remembered; rules have few. */
const maxPlans = 64;

/** A worker that ends sooner was not worth starting; the next one waits, each time twice as long. */
const youngMs = 1000;
const firstBackOffMs = 100;
const longestBackOffMs = 30_000;

/** A connection that so many workers died of may be why. */
const maxDeaths = 5;

export class WorkerPool implements HandOver {
  readonly isCostly: boolean;
  readonly #options: WorkerPoolOptions;
  readonly #workers = new Set<WorkerProcess>();
  readonly #waiting: Job[] = [];
  /** What the workers were started with: a connection for which the run file comes to something else is none of theirs. */
  #signature = '';
  #plannedFile: RunFile | undefined;
  #isPlanForAll = false;
  /** By level. */
  readonly #plans = new Map<number, Plan>();
  #nextId = 1;
  /** Started, but not among the workers yet. */
  #beingStarted = 0;
  #backOffMs = 0;
  #backOffTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.isCostly = options.sessionsPerWorker === 1;
    this.#fill();
  }

  async serve(connection: AdmittedConnection): Promise<Session> {
    const { otherwise } = this.#options;
    const { signature, argv } = this.#plan(connection);
    if (signature !== this.#signature && this.#refresh() !== signature) {
      return otherwise.serve(connection);
    }
    if (!this.#hasReadyWorker()) return otherwise.serve(connection);
    return new Promise((settle, fail) => {
      this.#waiting.push({ connection, argv, isGreeted: false, deaths: 0, settle, fail });
      this.#dispatch();
    });
  }

  /** Replaces every worker as it becomes idle. */
  replace(why: string): void {
    for (const worker of [...this.#workers]) this.#retire(worker, why);
    this.#fill();
  }

  /** Starts no more; those that are there end with their last sessions. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#backOffTimer);
    for (const worker of this.#workers) worker.retire();
  }

  /** Starts workers until there are as many as wanted; while it is told to wait, none. */
  #fill(): void {
    if (this.#isClosed || this.#backOffTimer !== undefined) return;
    const wanted = this.#options.workerCount - this.#workers.size - this.#beingStarted;
    for (let missing = wanted; missing > 0; missing -= 1) void this.#startOne();
  }

  async #startOne(): Promise<void> {
    this.#beingStarted += 1;
    let why: string | null = null;
    try {
      await this.#start();
    } catch (error) {
      why = (error as Error).message;
    }
    this.#beingStarted -= 1;
    if (why !== null) this.#backOff(why);
  }

  async #start(): Promise<void> {
    const { service, sessionsPerWorker, log, times } = this.#options;
    const { launch } = planLaunch(service, unknownConnection, unknownStanding);
    this.#signature = signatureOf(launch);
    const environment = new Map(launch.environment);
    for (const name of connectionVariables) environment.delete(name);
    environment.set(workerVariable, String(sessionsPerWorker));
    const program = await startProgram({ ...launch, environment }, [
      'ignore',
      'inherit',
      'inherit',
      'ipc',
    ]);
    const events: WorkerEvents = {
      onReady: () => this.#dispatch(),
      onFree: () => this.#dispatch(),
      onRetire: (retiring, why) => {
        this.#retire(retiring, why);
        this.#fill();
      },
    };
    const worker = new WorkerProcess(program, events, times);
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
    if (!this.#workers.delete(worker) || this.#isClosed) return;
    const isYoung = performance.now() - worker.startedMs < youngMs && worker.givenCount === 0;
    if (isYoung || !worker.wasReady) {
      this.#backOff(
        isYoung ? 'workers end as soon as they are started' : 'the program is no worker',
      );
    } else {
      this.#backOffMs = 0;
      this.#fill();
    }
    this.#serveStranded();
  }

  #backOff(why: string): void {
    if (this.#isClosed || this.#backOffTimer !== undefined) return;
    this.#backOffMs = Math.min(longestBackOffMs, Math.max(firstBackOffMs, this.#backOffMs * 2));
    this.#options.log.write('warning', { why, retry: this.#backOffMs / 1000 });
    this.#backOffTimer = setTimeout(() => {
      this.#backOffTimer = undefined;
      this.#fill();
    }, this.#backOffMs).unref();
    this.#serveStranded();
  }

  #retire(worker: WorkerProcess, why: string): void {
    if (!this.#workers.delete(worker)) return;
    this.#options.log.write('worker-retired', { pid: worker.pid, why });
    worker.retire();
  }

  #hasReadyWorker(): boolean {
    for (const worker of this.#workers) if (worker.isReady) return true;
    return false;
  }

  /** What the run file comes to for a connection: evaluated once for each level, unless it looks at the peer. */
  #plan(connection: AdmittedConnection): Plan {
    const { service } = this.#options;
    const { facts, level } = connection;
    const runFile = readRunFile(service.runFile);
    if (runFile !== this.#plannedFile) {
      this.#plannedFile = runFile;
      this.#plans.clear();
      this.#isPlanForAll = !runFileUsesVariables(runFile, peerVariables);
    }
    const known = this.#plans.get(level);
    if (known !== undefined) return known;
    const { launch } = planLaunch(service, facts, connection);
    const plan = { signature: signatureOf(launch), argv: launch.arguments };
    if (this.#isPlanForAll && this.#plans.size < maxPlans) this.#plans.set(level, plan);
    return plan;
  }

  /** The run file changed: workers for the new one. @returns their signature; the old one when it does not work */
  #refresh(): string {
    const { launch } = planLaunch(this.#options.service, unknownConnection, unknownStanding);
    const signature = signatureOf(launch);
    if (signature !== this.#signature) {
      this.#signature = signature;
      this.replace('the run file changed');
    }
    return signature;
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const worker = this.#leastLoaded();
      if (worker === undefined) return;
      const job = this.#waiting.shift();
      if (job !== undefined) void this.#offer(job, worker);
    }
  }

  #leastLoaded(): WorkerProcess | undefined {
    let best: WorkerProcess | undefined;
    for (const worker of this.#workers) {
      if (worker.isFree && worker.sessionCount < (best?.sessionCount ?? Infinity)) best = worker;
    }
    return best;
  }

  async #offer(job: Job, worker: WorkerProcess): Promise<void> {
    const { socket, facts, level, hear } = job.connection;
    if (!job.isGreeted && worker.greeting !== null && level > 0) {
      socket.write(worker.greeting);
      job.isGreeted = true;
    }
    const offering = worker.offer(
      {
        kind: 'connection',
        id: this.#nextId++,
        arguments: job.argv,
        environment: ucspiVariables(facts, job.connection),
        network: sourceOf(facts.remote.address),
        isGreeted: job.isGreeted,
      },
      socket,
      hear,
    );
    const { sessionsPerWorker } = this.#options;
    if (sessionsPerWorker > 0 && worker.givenCount >= sessionsPerWorker) {
      this.#workers.delete(worker);
      worker.retire();
      this.#fill();
    }
    const offer = await offering;
    if (offer.offer === 'died') {
      // Nobody read a byte of it: the next worker gets it as it is, before those that came later.
      job.deaths += 1;
      if (job.deaths < maxDeaths) this.#waiting.unshift(job);
      else this.#serveWithoutWorker(job);
      this.#dispatch();
      this.#serveStranded();
      return;
    }
    socket.destroy();
    job.settle({ pid: worker.pid, ended: offer.ended, evict: offer.evict, isStarting: false });
  }

  /** When no worker is there, those that nobody greeted need not wait for one, and the others not when none is to come. */
  #serveStranded(): void {
    if (this.#waiting.length === 0 || this.#hasReadyWorker()) return;
    const isOneComing = this.#workers.size + this.#beingStarted > 0;
    const stranded = this.#waiting.filter(({ isGreeted }) => !isGreeted || !isOneComing);
    for (const job of stranded) {
      this.#waiting.splice(this.#waiting.indexOf(job), 1);
      this.#serveWithoutWorker(job);
    }
  }

  #serveWithoutWorker({ connection, isGreeted, settle, fail }: Job): void {
    // A program of its own would greet again, which no client expects.
    if (isGreeted) fail(new Error('greeted, but no worker is left'));
    else this.#options.otherwise.serve(connection).then(settle, fail);
  }
}

/** What a worker has for its whole life; the rest comes with each connection. */
function signatureOf({ program, directory, environment }: Launch): string {
  let signature = `${program}\0${directory}`;
  for (const [name, value] of environment) {
    if (!connectionVariables.has(name)) signature += `\0${name}=${value}`;
  }
  return signature;
}

/** The level has a plan of its own. */
const peerVariables: ReadonlySet<string> = new Set(
  [...ucspiEnvironment(unknownConnection, unknownStanding).keys()].filter(
    (name) => name !== 'ACCESSLEVEL',
  ),
);

const connectionVariables: ReadonlySet<string> = new Set(
  ucspiEnvironment(unknownConnection, unknownStanding).keys(),
);
