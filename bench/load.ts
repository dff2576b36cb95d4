// The load: popload, a process of its own, built with the system's compiler; and what it prints, as numbers.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deadline } from '../test/support/suite/deadline.js';
import {
  startCommand,
  type RunningProgram,
  type Teardown,
} from '../test/support/programs/run-program.js';

/** What a run of popload does; see the first lines of popload.c. */
export interface Load {
  readonly port: number;
  /** A login name; `%d` is the session's number modulo `users`. */
  readonly user: string;
  readonly users?: number;
  readonly commands: readonly string[];
  /** How many sessions at a time; 1 when absent. */
  readonly concurrency?: number;
  /** How many in all; 1 when absent. */
  readonly sessions?: number;
  /** No session starts later than this. */
  readonly seconds?: number;
  /** How many RETRs are on the way at a time, 1…256; 1 when absent. */
  readonly window?: number;
  readonly security?: 'clear' | 'stls';
  /** Whether each connection begins as a proxy's does. */
  readonly hasProxyHeader?: boolean;
}

/** Milliseconds. */
export interface Times {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface Figures {
  readonly sessions: number;
  readonly perSecond: number;
  /** Seconds between the first RETR and the last octet of the last message, summed over sessions. */
  readonly retrSeconds: number;
  readonly retrMessages: number;
  /** Millions of octets, as sent. */
  readonly retrMegabytes: number;
  /** From connecting to the reply to QUIT. */
  readonly session: Times;
  /** From connecting to the greeting. */
  readonly greeting: Times;
  /** NaN without NOOP*. */
  readonly noop: Times;
}

/** The password of every account of a bench. */
export const password = 'open-sesame';

/** popload ends on its own after two minutes. */
const limitMs = 150_000;

export class LoadGenerator {
  readonly #path: string;
  readonly hasTls: boolean;

  private constructor(path: string, hasTls: boolean) {
    this.#path = path;
    this.hasTls = hasTls;
  }

  /** Compiles it into a folder; without TLS where libssl's headers are missing. @throws Error without a working gcc */
  static build(folder: string): LoadGenerator {
    const path = join(folder, 'popload');
    const source = fileURLToPath(new URL('../../bench/popload.c', import.meta.url));
    const options = ['-O2', '-o', path, source];
    try {
      execFileSync('gcc', ['-DTLS', ...options, '-lssl', '-lcrypto'], { stdio: 'pipe' });
      return new LoadGenerator(path, true);
    } catch {
      execFileSync('gcc', options, { stdio: 'pipe' });
      return new LoadGenerator(path, false);
    }
  }

  /** @throws Error when a session did not end as it should: such figures would mean nothing */
  async run(t: Teardown, load: Load): Promise<Figures> {
    return new StartedLoad(t, this.#path, load).end();
  }

  /** Starts one with HOLD or NOOP* and waits until it is there. */
  async start(t: Teardown, load: Load): Promise<StartedLoad> {
    const started = new StartedLoad(t, this.#path, load);
    await started.ready();
    return started;
  }
}

export class StartedLoad {
  readonly #program: RunningProgram;
  #output = '';
  #onOutput: (() => void) | undefined;

  constructor(t: Teardown, path: string, load: Load) {
    this.#program = startCommand(t, path, popload(load));
    this.#program.stdout.setEncoding('latin1').on('data', (text: string) => {
      this.#output += text;
      this.#onOutput?.();
    });
  }

  async ready(): Promise<void> {
    const { ending } = this.#program;
    const line = new Promise<void>((resolve, reject) => {
      this.#onOutput = () => {
        if (this.#output.startsWith('ready\n')) resolve();
      };
      void ending.then(() => {
        reject(new Error(`popload ended: ${this.#program.stderr}${this.#output}`));
      });
    });
    await deadline(line, limitMs, () => 'popload is not ready');
  }

  /** Lets it go on, and waits for its end. @throws as `LoadGenerator.run` */
  async end(): Promise<Figures> {
    this.#program.stdin.end();
    const { status } = await deadline(this.#program.ending, limitMs, () => 'popload does not end');
    if (status !== 0) throw new Error(`popload: ${this.#program.stderr}${this.#output}`);
    return parseFigures(this.#output);
  }
}

function popload(load: Load): string[] {
  const { concurrency = 1, sessions = 1, users = 1, window = 1 } = load;
  const { seconds, security, hasProxyHeader = false } = load;
  return [
    ...['-c', String(concurrency), '-n', String(sessions), '-u', String(users)],
    ...['-w', String(window)],
    ...(seconds === undefined ? [] : ['-t', String(seconds)]),
    ...(security === 'stls' ? ['-s'] : []),
    ...(hasProxyHeader ? ['-p'] : []),
    ...[String(load.port), load.user, password, load.commands.join(',')],
  ];
}

function parseFigures(output: string): Figures {
  const value = (key: string): number =>
    Number(new RegExp(`\\b${key}=([0-9.]+)`).exec(output)?.[1] ?? Number.NaN);
  const times = (name: string): Times => ({
    p50: value(`${name}_p50`),
    p99: value(`${name}_p99`),
    max: value(`${name}_max`),
  });
  return {
    sessions: value('sessions'),
    perSecond: value('per_second'),
    retrSeconds: value('retr_seconds'),
    retrMessages: value('retr_messages'),
    retrMegabytes: value('retr_megabytes'),
    session: times('session'),
    greeting: times('greeting'),
    noop: times('noop'),
  };
}
