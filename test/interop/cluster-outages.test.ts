// Three nodes with GlusterFS, HAProxy and PostgreSQL, as mail-cluster(7) has them, whose parts are killed and cut off, hang or are slow, and whose
// clocks go wrong, while mail comes and goes. The contract's times are for a machine with nothing else to do: `npm run test:long`.

import t from 'tap';
import { tryCluster, unlessCluster } from '../support/cluster/room.js';

t.setTimeout(1_200_000);

const storage = 'GlusterFS' as const;
/** Here they only say that nothing hangs: a loaded machine is several times slower. */
const terms = { frontMs: 40_000, storageMs: 90_000, databaseMs: 40_000, visibleMs: 20_000 };

t.test(
  'parts of a cluster fail: no message is lost, none deleted without QUIT, no list is short, no password misjudged',
  { skip: unlessCluster(storage) },
  async (t) => {
    const options = { storage, terms, leastDelivered: 300, seed: 1939 };
    const { figures, failures } = await tryCluster(t, options, 1_100_000);
    for (const figure of figures) t.comment(figure);
    t.strictSame(failures, []);
  },
);
