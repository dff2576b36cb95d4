// One user's clients at all nodes at once: they list, count, mark as seen and delete the same messages.

import type { ClusterNode } from './cluster.js';
import { deliverTo } from './deliver-to.js';
import type { BrokenSession } from './load.js';
import { haveSession } from './mail-client.js';
import type { Watched } from './new-mail.js';

const messages = 20;
const sessionsPerNode = 5;
const rounds = 3;

/** What the clients are told goes into the ledger. */
export async function shareMaildrop(
  nodes: readonly ClusterNode[],
  { user, password, ledger, newAddress }: Watched,
  random: (limit: number) => number,
  broken: (session: BrokenSession) => void,
): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    for (let count = 0; count < messages; count += 1) {
      const { mailRoot } = nodes[count % nodes.length] ?? { mailRoot: '' };
      const serial = ledger.beginDelivery(user);
      const inbox = `${mailRoot}/example.org/${user}/INBOX`;
      if ((await deliverTo(inbox, serial)) !== 'arrived')
        throw new Error(`no delivery to ${inbox}`);
      ledger.noteDelivered(serial);
    }
    const ways = nodes.flatMap(({ host }) =>
      Array.from({ length: sessionsPerNode }, () => ({ server: host.address, from: newAddress() })),
    );
    await Promise.all(
      ways.map(async (way) => {
        const startedMs = performance.now();
        try {
          await haveSession({ way, user, password, ledger, random });
        } catch (error) {
          broken({ address: way.from, error: String(error), startedMs, atMs: performance.now() });
        }
      }),
    );
  }
}
