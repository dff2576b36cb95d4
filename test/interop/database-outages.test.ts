// Database servers that are stopped, killed, cut off, hang, are slow or come back while clients log in. The contract's
// 5 s, at 200 logins a second, are for a machine with nothing else to do: test/long/database-outages.ts.

import t from 'tap';
import { seeCutOff, seeFailures, serverKinds } from '../support/accounts/outages.js';
import { unlessCutOffHost } from '../support/peers/cut-off-host.js';

t.setTimeout(1_200_000);

const terms = { perSecond: 50, longestMs: 12_000 };

for (const kind of serverKinds) {
  t.test(
    `${kind.name} stopped, killed, hanging, slow and back: no untrue answer, none late, nothing grows`,
    { skip: kind.unless() },
    (t) => seeFailures(t, kind, terms),
  );

  t.test(
    `${kind.name} cut off without a word, and back: no untrue answer, none late; a second host serves`,
    { skip: kind.unless() || unlessCutOffHost() },
    (t) => seeCutOff(t, kind, terms),
  );
}
