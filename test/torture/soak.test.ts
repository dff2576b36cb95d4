// A short soak: 20 seconds with a fault every 2. test/long has it for minutes. SOAK_SEED repeats a run.

import t from 'tap';
import { faultKinds } from './soak-faults.js';
import { leastLogins, leastSessions, soak } from './soak.js';

const seed = Number(process.env['SOAK_SEED'] ?? 1939);

t.test('under load and faults everybody is served, and no mail goes astray', async (t) => {
  const result = await soak(t, { seed, budgetMs: 20_000, faultEveryMs: 2000 });
  t.comment(JSON.stringify(result));
  t.strictSame(result.failures, []);
  t.ok(result.faults >= faultKinds, 'each fault happened');
  t.ok(result.sessions >= leastSessions && result.logins >= leastLogins, 'there was a load');
  t.ok(result.operations > 200, 'mail came and went');
  t.ok(result.cut < result.sessions / 4, `${result.cut} of ${result.sessions} sessions were cut`);
});
