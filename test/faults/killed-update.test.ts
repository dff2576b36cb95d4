// 40 of the kills of test/long.

import t from 'tap';
import { seededRandom } from '../torture/random.js';
import { killUpdates } from './killed-update.js';

t.test('a pop3d killed in UPDATE has removed nothing but what was marked', async (t) => {
  const { halfDone, violations } = await killUpdates(t, { runs: 40 }, seededRandom(1939));
  t.strictSame(violations, []);
  t.comment(`${halfDone} of 40 were caught between two removals`);
});
