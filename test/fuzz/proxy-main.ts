// Run as: proxy-main SEED STREAMS [SECONDS]. Prints a line of figures, or what failed, and exits 1 then.

import fc from 'fast-check';
import { proxyProperty } from './proxy-headers.js';

const [seed = 1939, streams = 1_000_000, seconds = Infinity] = process.argv.slice(2).map(Number);
const details = fc.check(proxyProperty(), {
  seed,
  numRuns: streams,
  ...(Number.isFinite(seconds) ? { interruptAfterTimeLimit: seconds * 1000 } : {}),
});
console.log(`seed=${seed} streams=${details.numRuns}`);
if (details.failed) {
  console.log(fc.defaultReportMessage(details));
  process.exitCode = 1;
}
