// The fuzzer of what pop3get reads, as a program of its own: tap watches every promise of its own process.
// Run as: replies-main SEED STREAMS SESSIONS [SECONDS]. Prints a line of figures, or what failed, and exits 1 then.

import fc from 'fast-check';
import { sessionsProperty } from './hostile-sessions.js';
import { repliesProperty } from './replies.js';

const [seed = 1939, streams = 5000, sessions = 100, seconds = Number.POSITIVE_INFINITY] =
  process.argv.slice(2).map(Number);

const failures: string[] = [];

/** @param lane draws differ from lane to lane */
async function check<T>(property: fc.IAsyncProperty<T>, runs: number, lane = 0): Promise<number> {
  const details = await fc.check(property, {
    seed: seed + lane,
    numRuns: runs,
    // Half of the time for each property.
    ...(Number.isFinite(seconds) ? { interruptAfterTimeLimit: seconds * 500 } : {}),
  });
  if (details.failed) {
    failures.push(`${fc.defaultReportMessage(details) ?? ''}\n${String(details.errorInstance)}`);
  }
  return details.numRuns;
}

/** Runs against hostile servers mostly wait, so that several go on at once. */
const lanes = Array.from({ length: 8 }, (_, lane) => lane);

const streamCount = await check(repliesProperty(), streams);
const counts = await Promise.all(
  lanes.map((lane) => check(sessionsProperty(), Math.ceil(sessions / lanes.length), lane)),
);
const sessionCount = counts.reduce((sum, count) => sum + count, 0);
console.log(`seed=${seed} streams=${streamCount} runs=${sessionCount}`);
for (const failure of failures) console.log(failure);
if (failures.length > 0) process.exitCode = 1;
