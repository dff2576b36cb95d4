// The fuzzer as a program of its own: tap watches every promise of its own process, which takes three times as long.
// Run as: main SEED INPUTS [SECONDS [PATH]]; seed and path of a failure show it again. Prints a line of figures and what failed,
// and exits 1 then.

import { fuzzSessions } from './fuzz-sessions.js';

const [seed = '1939', inputCount = '200000', seconds, path] = process.argv.slice(2);
const result = await fuzzSessions({
  seed: Number(seed),
  inputCount: Number(inputCount),
  ...(seconds === undefined ? {} : { budgetMs: Number(seconds) * 1000 }),
  ...(path === undefined ? {} : { path }),
});
console.log(
  `seed=${seed} inputs=${result.inputCount} replays=${result.replayCount} ` +
    `tls=${result.tlsReplayCount} cpu=${result.cpuSeconds.toFixed(1)} heap-growth=${result.heapGrowthBytes}`,
);
const mostGrowthBytes = 8 * 1024 * 1024;
const failure =
  result.failure ?? (result.heapGrowthBytes > mostGrowthBytes ? 'memory grows' : null);
if (failure !== null) {
  console.log(failure);
  process.exitCode = 1;
}
