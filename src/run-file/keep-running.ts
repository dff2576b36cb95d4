// Keeps the program of a run file running until told to stop: what runsvc does.

import type { Log } from '../system/log/log.js';
import { Pause } from '../system/runtime/pause.js';
import { evaluateRunFile, type RunFileContext } from './evaluate-run-file.js';
import { readRunFile } from './read-run-file.js';
import { RunFileError } from './run-file-error.js';
import { startProgram, type ProgramEnd, type StartedProgram } from './start-program.js';

/** Passed on to the program; those in `stopping` also end the keeping. */
const passedOn = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1'] as const;
const stopping: readonly string[] = ['SIGTERM', 'SIGINT'];

/** Shortest time from one start to the next. */
const restartMs = 1000;

export class ProgramKeeper {
  readonly #file: string;
  readonly #context: RunFileContext;
  readonly #log: Log;
  #program: StartedProgram | undefined;
  #isStopping = false;
  readonly #pause = new Pause();

  /** @param file the run file, read anew for every start */
  constructor(file: string, context: RunFileContext, log: Log) {
    this.#file = file;
    this.#context = context;
    this.#log = log;
  }

  /** Runs the program once. @throws RunFileError when it cannot be started */
  async runOnce(): Promise<ProgramEnd> {
    this.#passSignalsOn();
    return this.#run();
  }

  /**
   * Runs the program again and again, at most once a second, until SIGTERM or SIGINT came and it
   * has ended.
   *
   * @throws RunFileError when the first start fails; later ones are logged and tried again
   */
  async runUntilStopped(): Promise<void> {
    this.#passSignalsOn();
    let startedMs = performance.now();
    await this.#run();
    while (!this.#isStopping) {
      const leftMs = startedMs + restartMs - performance.now();
      if (leftMs > 0) await this.#pause.last(leftMs);
      if (this.#isToldToStop()) return;
      startedMs = performance.now();
      try {
        await this.#run();
      } catch (error) {
        if (!(error instanceof RunFileError)) throw error;
        this.#log.write('failure', { why: error.message });
      }
    }
  }

  /** A signal may have come during a wait. */
  #isToldToStop(): boolean {
    return this.#isStopping;
  }

  async #run(): Promise<ProgramEnd> {
    const launch = evaluateRunFile(readRunFile(this.#file), this.#context);
    const startedMs = performance.now();
    const program = await startProgram(launch, 'inherit');
    this.#program = program;
    const { pid } = program;
    this.#log.write('start', { program: launch.program, pid });
    const end = await program.ended;
    this.#program = undefined;
    const { status, signal } = end;
    this.#log.write('end', {
      pid,
      status: status ?? undefined,
      signal: signal ?? undefined,
      seconds: ((performance.now() - startedMs) / 1000).toFixed(3),
    });
    return end;
  }

  #passSignalsOn(): void {
    for (const signal of passedOn) {
      process.on(signal, () => {
        this.#program?.kill(signal);
        if (!stopping.includes(signal)) return;
        this.#isStopping = true;
        this.#pause.end();
      });
    }
  }
}
