// 30 of the kills of test/long.

import t from 'tap';
import { seededRandom } from '../torture/random.js';
import { killWorkers } from './killed-workers.js';

t.test('workers that are killed under load lose nothing and hold up nobody', async (t) => {
  const result = await killWorkers(t, { kills: 30 }, seededRandom(1939));
  t.strictSame(result.violations, []);
  t.equal(result.kills, 30);
  t.ok(result.sessions > result.cut, `${result.cut} of ${result.sessions} sessions were cut`);
});
