// How soon new mail that one node delivered is listed by another.

import { setTimeout as delay } from 'node:timers/promises';
import { poll } from '../suite/deadline.js';
import type { ClusterNode } from './cluster.js';
import { deliverTo } from './deliver-to.js';
import { connectClient, isTemporary, listMail, logIn } from './mail-client.js';
import type { MailLedger } from './mail-ledger.js';

export interface Watched {
  /** Of example.org; nobody else looks. */
  readonly user: string;
  readonly password: string;
  readonly ledger: MailLedger;
  /** @returns an address for a client */
  readonly newAddress: () => string;
}

/** After so long a server may believe that a directory stands still, as it sees no change of it. */
const stillMs = 2700;
const patienceMs = 60_000;

interface Look {
  /** Unique-ids. */
  readonly ids: readonly string[];
  /** When its login began. */
  readonly fromMs: number;
}

/**
 * Delivers a message to a maildrop that stood still for a while.
 *
 * @returns after how many milliseconds a session began that listed it
 */
export async function seeNewMail(
  from: ClusterNode,
  to: ClusterNode,
  { user, password, ledger, newAddress }: Watched,
): Promise<number> {
  const lookOnce = async (): Promise<Look | undefined> => {
    const client = await connectClient({ server: to.host.address, from: newAddress() });
    try {
      const fromMs = performance.now();
      const reply = await logIn(client, user, password);
      if (isTemporary.test(reply)) return undefined;
      if (!reply.startsWith('+OK')) throw new Error(`${user} at ${to.host.name}: ${reply}`);
      const listing = await listMail(client, 'UIDL');
      if (listing === null) return undefined;
      const ids = listing.map(({ value }) => value);
      await client.ok('QUIT');
      ledger.noteListing({ user, fromMs, toMs: performance.now(), ids });
      return { ids, fromMs };
    } finally {
      client.destroy();
    }
  };
  const look = (): Promise<Look> => poll(`${to.host.name} to serve ${user}`, lookOnce, patienceMs);
  await look();
  await delay(stillMs);
  const before = await look();
  const serial = ledger.beginDelivery(user);
  const inbox = `${from.mailRoot}/example.org/${user}/INBOX`;
  if ((await deliverTo(inbox, serial)) !== 'arrived') throw new Error(`no delivery to ${inbox}`);
  ledger.noteDelivered(serial);
  const deliveredMs = performance.now();
  return poll(
    `new mail of ${from.host.name} to be listed by ${to.host.name}`,
    async () => {
      const { ids, fromMs } = await look();
      return ids.length > before.ids.length ? Math.max(0, fromMs - deliveredMs) : undefined;
    },
    patienceMs,
  );
}
