// Draws groups of inputs, replays each in every state, and reports the first group that a session answers wrongly, as small as it
// gets. fast-check draws and shrinks.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { deadline } from '../support/suite/deadline.js';
import { arbitraryInput } from './arbitrary-input.js';
import { lanes, tlsLanes, type Lane } from './lanes.js';
import { account, arbitraryDelivery, replay, type Delivery } from './replay.js';

/** @returns what went wrong, or null */
export type Replay = (
  inputs: readonly string[],
  lane: Lane,
  delivery: Delivery,
) => Promise<string | null>;

export interface FuzzOptions {
  readonly seed: number;
  /** About so many, drawn in groups. */
  readonly inputCount: number;
  /** Stops sooner when so much time has gone by. */
  readonly budgetMs?: number;
  /** Where fast-check found a failure with this seed: only that is replayed, and made smaller. */
  readonly path?: string;
  /** For tests of the fuzzer itself. */
  readonly replay?: Replay;
}

export interface FuzzResult {
  readonly inputCount: number;
  readonly replayCount: number;
  /** Of these, in TLS. */
  readonly tlsReplayCount: number;
  readonly cpuSeconds: number;
  /** By how much the heap in use grew after the first fifth, garbage collected. */
  readonly heapGrowthBytes: number;
  /** What went wrong first, with what is needed to see it again; null when nothing did. */
  readonly failure: string | null;
}

/** Inputs that are replayed one after the other, in one session where that lasts; on average. */
const groupSize = 50;
/** One group in so many is replayed in TLS too. */
const tlsEvery = 50;

/** A group takes some milliseconds; more than this is a hang. */
const groupDeadlineMs = 60_000;
/** For making a failure small. */
const shrinkingMs = 120_000;

const group = fc.tuple(
  fc.array(arbitraryInput(account), { minLength: 1, maxLength: 2 * groupSize - 1, size: 'max' }),
  arbitraryDelivery,
  fc.nat(tlsEvery - 1).map((draw) => draw === 1),
);

export async function fuzzSessions(options: FuzzOptions): Promise<FuzzResult> {
  const { seed, inputCount, budgetMs, path } = options;
  const cpuBefore = process.cpuUsage();
  const runner = new Runner(options.replay ?? replay, inputCount / 5);
  const property = fc.asyncProperty(group, (drawn) => runner.run(drawn));
  // Biased draws would make short groups of it, which cost more.
  const draws = { seed, unbiased: true };
  process.on('unhandledRejection', runner.onRejection);
  try {
    const first = await fc.check(property, {
      ...draws,
      ...(path === undefined ? {} : { path }),
      numRuns: Math.ceil(inputCount / groupSize),
      endOnFailure: true,
      ...(budgetMs === undefined ? {} : { interruptAfterTimeLimit: budgetMs }),
    });
    const { user, system } = process.cpuUsage(cpuBefore);
    const figures = { ...runner.figures(), cpuSeconds: (user + system) / 1e6 };
    if (!first.failed) return { ...figures, failure: null };
    const shrunk = await fc.check(property, {
      ...draws,
      path: first.counterexamplePath ?? '',
      interruptAfterTimeLimit: shrinkingMs,
    });
    return { ...figures, failure: describe(shrunk.failed ? shrunk : first) };
  } finally {
    process.off('unhandledRejection', runner.onRejection);
  }
}

type Group = typeof group extends fc.Arbitrary<infer T> ? T : never;

function describe(details: fc.RunDetails<[Group]>): string {
  const [drawn = [], delivery] = details.counterexample?.[0] ?? [];
  const inputs = drawn.filter((input) => input !== '');
  return (
    `seed ${details.seed}, path ${details.counterexamplePath ?? ''}: ${String(details.errorInstance)}: ` +
    `sent ${JSON.stringify(delivery)}: ${JSON.stringify(inputs)}`
  );
}

/** Replays groups and counts. */
class Runner {
  readonly #replay: Replay;
  readonly #warmCount: number;
  readonly #rejections: string[] = [];
  #inputCount = 0;
  #tlsInputCount = 0;
  #heapBefore: number | null = null;
  /** The first that found something: whatever is tried afterwards is only to make that smaller. */
  #failed: Lane | undefined;

  /** @param warmCount after so many inputs the heap has its size */
  constructor(replay: Replay, warmCount: number) {
    this.#replay = replay;
    this.#warmCount = warmCount;
  }

  readonly onRejection = (reason: unknown): void => {
    this.#rejections.push(String(reason));
  };

  /** @throws Error for what a session answers wrongly */
  async run([inputs, delivery, isForTls]: Group): Promise<void> {
    const all = isForTls ? [...lanes, ...tlsLanes] : lanes;
    for (const lane of this.#failed === undefined ? all : [this.#failed]) {
      const difference = await this.#tryReplay(inputs, lane, delivery);
      const [rejection] = this.#rejections.splice(0);
      const failure = difference ?? (rejection === undefined ? null : `unhandled: ${rejection}`);
      if (failure === null) continue;
      this.#failed = lane;
      throw new Error(`in ${lane.name}: ${failure}`);
    }
    this.#inputCount += inputs.length;
    if (isForTls) this.#tlsInputCount += inputs.length;
    if (this.#inputCount >= this.#warmCount) this.#heapBefore ??= heapInUse();
  }

  figures(): Omit<FuzzResult, 'failure' | 'cpuSeconds'> {
    const tlsReplayCount = this.#tlsInputCount * tlsLanes.length;
    return {
      inputCount: this.#inputCount,
      replayCount: this.#inputCount * lanes.length + tlsReplayCount,
      tlsReplayCount,
      heapGrowthBytes: this.#heapBefore === null ? 0 : heapInUse() - this.#heapBefore,
    };
  }

  /** A hang and a crash are failures like any other. */
  async #tryReplay(
    inputs: readonly string[],
    lane: Lane,
    delivery: Delivery,
  ): Promise<string | null> {
    try {
      const replayed = this.#replay(inputs, lane, delivery);
      return await deadline(replayed, groupDeadlineMs, () => 'no end');
    } catch (error) {
      return String(error);
    }
  }
}

function heapInUse(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}
