// pop3get killed at random instants, and its server too; a short run of test/long/pop3get-killed.ts.

import t from 'tap';
import { killClientAndFinish, killServerAndFinish } from '../support/programs/pop3get-kill.js';
import { seededRandom } from '../torture/random.js';

const seed = Date.now() & 0xffffff;

t.test(
  `killed at random instants, nothing is lost and nothing comes twice (seed ${seed})`,
  async (t) => {
    const random = seededRandom(seed);
    for (let count = 0; count < 12; count += 1) {
      await t.test(`instant ${count + 1}`, (t) => killClientAndFinish(t, random));
    }
  },
);

t.test(`its server lost at random points, likewise (seed ${seed})`, async (t) => {
  const random = seededRandom(seed);
  for (let count = 0; count < 6; count += 1) {
    await t.test(`point ${count + 1}`, (t) => killServerAndFinish(t, random));
  }
});
