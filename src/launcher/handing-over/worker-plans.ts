// What the run file says to kept workers: which program they are, and each connection's arguments.

import { runFileUses, type Launch } from '../../run-file/evaluate-run-file.js';
import { readRunFile } from '../../run-file/read-run-file.js';
import { RunFileError } from '../../run-file/run-file-error.js';
import type { RunFile } from '../../run-file/run-file.js';
import { connectionVariables, unknownConnection, unratedClient } from './connection-facts.js';
import type { AdmittedConnection } from './hand-over.js';
import { planLaunch, type Service } from './run-file-parameters.js';

export interface WorkerPlan {
  /** Program, directory and lasting environment: workers with the same signature are alike. */
  readonly signature: string;
  /** What a connection is served with; the first is argv[0]. */
  readonly argv: readonly string[];
}

/** Levels whose plans are remembered; rules have few. */
const maxPlans = 64;

/** The level is not among them: it has a plan of its own. */
const peerVariables: ReadonlySet<string> = new Set(
  [...connectionVariables].filter((name) => name !== 'ACCESSLEVEL'),
);

export class WorkerPlans {
  readonly #service: Service;
  /** What `#byLevel` was made from. */
  #runFile: RunFile | undefined;
  #isAlikeForAllPeers = false;
  readonly #byLevel = new Map<number, WorkerPlan>();

  constructor(service: Service) {
    this.#service = service;
  }

  /**
   * For a connection: evaluated once for each level, unless the run file looks at the peer.
   *
   * @throws RunFileError
   */
  of(connection: AdmittedConnection): WorkerPlan {
    const { facts, level } = connection;
    const runFile = readRunFile(this.#service.runFile);
    if (runFile !== this.#runFile) {
      this.#runFile = runFile;
      this.#byLevel.clear();
      this.#isAlikeForAllPeers = !runFileUses(runFile, { variables: peerVariables });
    }
    const known = this.#byLevel.get(level);
    if (known !== undefined) return known;
    const { launch } = planLaunch(this.#service, facts, connection);
    const plan = { signature: signatureOf(launch), argv: launch.arguments };
    if (this.#isAlikeForAllPeers && this.#byLevel.size < maxPlans) this.#byLevel.set(level, plan);
    return plan;
  }

  /** For the start of a worker, without what describes a connection. @throws RunFileError */
  ofWorkers(): { readonly signature: string; readonly launch: Launch } {
    const { launch } = planLaunch(this.#service, unknownConnection, unratedClient);
    const environment = new Map(
      [...launch.environment].filter(([name]) => !connectionVariables.has(name)),
    );
    return { signature: signatureOf(launch), launch: { ...launch, environment } };
  }
}

/** @returns null for a run file that comes to nothing now */
export function trySignature(service: Service): string | null {
  try {
    return new WorkerPlans(service).ofWorkers().signature;
  } catch (error) {
    if (error instanceof RunFileError) return null;
    throw error;
  }
}

function signatureOf({ program, directory, environment }: Launch): string {
  let signature = `${program}\0${directory}`;
  for (const [name, value] of environment) {
    if (!connectionVariables.has(name)) signature += `\0${name}=${value}`;
  }
  return signature;
}
