// The fuzzer as a program of its own: tap watches every promise of its own process, which takes three times as long.
// Run as: main SEED INPUTS [SECONDS]. Prints a line of figures, or what failed, and exits 1 then.

import { fuzzSessions } from './fuzz-sessions.js';

const [seed = 1939, inputCount = 200_000, seconds = Number.POSITIVE_INFINITY] = process.argv
  .slice(2)
  .map(Number);
const result = await fuzzSessions({ seed, inputCount, budgetMs: seconds * 1000 });
console.log(
  `seed=${seed} inputs=${result.inputCount} replays=${result.replayCount} ` +
    `cpu=${result.cpuSeconds.toFixed(1)} heap-growth=${result.heapGrowthBytes}`,
);
const mostGrowthBytes = 8 * 1024 * 1024;
const failure =
  result.failure ?? (result.heapGrowthBytes > mostGrowthBytes ? 'memory grows' : null);
if (failure !== null) {
  console.log(failure);
  process.exitCode = 1;
}
