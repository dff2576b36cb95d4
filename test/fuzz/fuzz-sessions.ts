// Draws inputs, replays each in every state, and reports the first that a session answers wrongly, as small as it gets.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { deadline } from '../support/deadline.js';
import { seededRandom } from '../torture/random.js';
import { drawInput } from './drawn-input.js';
import { lanes, type Lane } from './lanes.js';
import { account, drawDelivery, replay, type Delivery } from './replay.js';
import { shrink } from './shrink.js';

export interface FuzzOptions {
  readonly seed: number;
  readonly inputCount: number;
  /** Stops sooner when so much time has gone by. */
  readonly budgetMs?: number;
}

export interface FuzzResult {
  readonly inputCount: number;
  readonly replayCount: number;
  readonly cpuSeconds: number;
  /** By how much the heap in use grew after the first fifth, garbage collected. */
  readonly heapGrowthBytes: number;
  /** What went wrong first, with what is needed to see it again; null when nothing did. */
  readonly failure: string | null;
}

/** Inputs that are replayed one after the other, in one session where that lasts. */
const groupSize = 50;

/** A group takes some milliseconds; more than this is a hang. */
const groupDeadlineMs = 60_000;

export async function fuzzSessions(options: FuzzOptions): Promise<FuzzResult> {
  const { seed, inputCount, budgetMs = Number.POSITIVE_INFINITY } = options;
  const random = seededRandom(seed);
  const startedMs = performance.now();
  const cpuBefore = process.cpuUsage();
  const rejections: string[] = [];
  const onRejection = (reason: unknown): void => {
    rejections.push(String(reason));
  };
  process.on('unhandledRejection', onRejection);
  let count = 0;
  let failure: string | null = null;
  let heapBefore: number | null = null;
  try {
    while (count < inputCount && failure === null && performance.now() - startedMs < budgetMs) {
      const inputs = Array.from({ length: groupSize }, () => drawInput(random, account));
      const delivery = drawDelivery(random);
      failure = await replayEverywhere(inputs, delivery);
      if (rejections.length > 0) failure ??= `unhandled: ${rejections.join()}`;
      if (failure !== null) failure = `seed ${seed}, after ${count} inputs: ${failure}`;
      count += groupSize;
      if (heapBefore === null && count >= inputCount / 5) heapBefore = heapInUse();
    }
  } finally {
    process.off('unhandledRejection', onRejection);
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    inputCount: count,
    replayCount: count * lanes.length,
    cpuSeconds: (user + system) / 1e6,
    heapGrowthBytes: heapBefore === null ? 0 : heapInUse() - heapBefore,
    failure,
  };
}

async function replayEverywhere(
  inputs: readonly string[],
  delivery: Delivery,
): Promise<string | null> {
  for (const lane of lanes) {
    const difference = await tryReplay(inputs, lane, delivery);
    if (difference === null) continue;
    const smallest = await shrink(
      inputs,
      async (candidate) => (await tryReplay(candidate, lane, delivery)) !== null,
    );
    const why = (await tryReplay(smallest, lane, delivery)) ?? difference;
    return `in ${lane.name}, sent ${JSON.stringify(delivery)}: ${JSON.stringify(smallest)}: ${why}`;
  }
  return null;
}

/** A hang and a crash are failures like any other. */
async function tryReplay(
  inputs: readonly string[],
  lane: Lane,
  delivery: Delivery,
): Promise<string | null> {
  try {
    return await deadline(replay(inputs, lane, delivery), groupDeadlineMs, () => 'no end');
  } catch (error) {
    return String(error);
  }
}

function heapInUse(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}
