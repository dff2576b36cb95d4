// The outages of test/interop/database-outages.test.ts at 200 logins a second, with the contract's 5 s: for a machine with
// nothing else to do. Run it with: node build/test/long/database-outages.js

import t from 'tap';
import { seeCutOff, seeFailures, serverKinds } from '../support/accounts/outages.js';

t.setTimeout(1_200_000);

const terms = { perSecond: 200, longestMs: 5000 };

for (const kind of serverKinds) {
  await t.test(`${kind.name} fails`, (t) => seeFailures(t, kind, terms));
  await t.test(`${kind.name} is cut off`, (t) => seeCutOff(t, kind, terms));
}
