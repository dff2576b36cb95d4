// 500 random instants of a 300-message transfer: pop3get killed at 400 of them, its server lost at 100. Takes ten minutes.
// Run it with: node build/test/long/pop3get-killed.js [seed [seconds]]; after so many seconds it starts no more.

import t from 'tap';
import { killClientAndFinish, killServerAndFinish } from '../support/programs/pop3get-kill.js';
import { seededRandom } from '../torture/random.js';

const seed = Number(process.argv[2] ?? Date.now() & 0xffffff);
const random = seededRandom(seed);
const seconds = Number(process.argv[3] ?? Number.POSITIVE_INFINITY);
const startedMs = performance.now();
t.setTimeout(7_200_000);
t.comment(`seed ${seed}`);

for (let count = 1; count <= 500; count += 1) {
  if (performance.now() - startedMs > seconds * 1000) break;
  const isServers = count % 5 === 0;
  await t.test(`instant ${count}`, (t) =>
    isServers ? killServerAndFinish(t, random) : killClientAndFinish(t, random),
  );
}
