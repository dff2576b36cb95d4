// What happens to the databases of a cluster under load. The one that fails is the one that the
// nodes ask first.

import { setTimeout as delay } from 'node:timers/promises';
import { poll } from '../suite/deadline.js';
import type { Cluster, ClusterNode } from './cluster.js';
import type { Load } from './load.js';
import { connectClient, isTemporary, logIn } from './mail-client.js';
import type { MailLedger } from './mail-ledger.js';

export interface DatabaseOutagesParts {
  readonly cluster: Cluster;
  readonly load: Load;
  readonly ledger: MailLedger;
  /** A user whom nobody else knows. */
  readonly changing: string;
}

/** Lets something happen, and looks at what clients noticed. */
export type See = (what: string, happen: () => Promise<void>) => Promise<void>;

/** How long things last. */
const [killedMs, outageMs, promotedMs] = [4000, 8000, 2000];
/** What a slow database takes for an answer: so little that pop3d does not take it for dead. */
const slowSeconds = [1, 1.9] as const;
/** A question costs a process. */
const pauseMs = 200;

export class DatabaseOutages {
  readonly #parts: DatabaseOutagesParts;
  readonly #see: See;
  #passwords = 0;

  constructor(parts: DatabaseOutagesParts, see: See) {
    this.#parts = parts;
    this.#see = see;
  }

  /** Afterwards primary and standby have changed places. */
  async loseEach(): Promise<void> {
    const { databases } = this.#parts.cluster;
    const [asked] = databases.hosts;
    const { host, server } = asked;
    const role = asked === databases.primary ? 'primary' : 'standby';
    await this.#lose(`${role} killed`, async () => {
      await server.kill();
      await delay(killedMs);
      await server.start();
    });
    await this.#lose(`${role} cut off`, async () => {
      host.cut();
      await delay(outageMs);
      host.mend();
    });
    await this.#lose(`${role} hung`, async () => {
      server.freeze();
      await delay(outageMs);
      server.thaw();
    });
    await this.#lose(`${role} slow`, async () => {
      await databases.slowDown(asked, slowSeconds);
      await delay(outageMs);
      await databases.speedUp();
    });
    await this.#lose('failover', () => this.#failOver());
  }

  async #failOver(): Promise<void> {
    const { cluster, changing } = this.#parts;
    const { databases } = cluster;
    const before = `word ${this.#passwords}`;
    this.#passwords += 1;
    const after = `word ${this.#passwords}`;
    await databases.setPassword(changing, before);
    await databases.primary.server.kill();
    await delay(promotedMs);
    await databases.promote();
    await databases.setPassword(changing, after);
    await this.#checkPasswords(after, before);
    await databases.rejoin();
    await this.#turnToFirst();
    await this.#checkPasswords(after, before);
  }

  async #lose(what: string, happen: () => Promise<void>): Promise<void> {
    await this.#turnToFirst();
    await this.#see(what, happen);
  }

  /** A worker that had trouble with the first database leaves it alone for half a minute. */
  async #turnToFirst(): Promise<void> {
    const { nodes, databases } = this.#parts.cluster;
    const [first] = databases.hosts;
    if ((await databases.nodesAt(first)) === nodes.length) return;
    for (const { front } of nodes) front.renewWorker();
    await poll('all nodes to ask the first database', async () => {
      await delay(pauseMs);
      return (await databases.nodesAt(first)) === nodes.length ? true : undefined;
    });
  }

  /** At each node. */
  async #checkPasswords(right: string, wrong: string): Promise<void> {
    const { ledger } = this.#parts;
    for (const node of this.#parts.cluster.nodes) {
      const [good, bad] = await Promise.all([
        this.#replyOf(node, right),
        this.#replyOf(node, wrong),
      ]);
      const name = node.host.name;
      if (!good.startsWith('+OK')) ledger.faults.push(`${name}: the new password: ${good}`);
      if (!bad.startsWith('-ERR [AUTH]')) ledger.faults.push(`${name}: the old password: ${bad}`);
    }
  }

  /** The first that says something of the password. */
  #replyOf({ host }: ClusterNode, password: string): Promise<string> {
    const { load, changing } = this.#parts;
    return poll(`a verdict of ${host.name}`, async () => {
      const client = await connectClient({ server: host.address, from: load.newAddress() });
      try {
        const reply = await logIn(client, changing, password);
        return isTemporary.test(reply) ? undefined : reply;
      } finally {
        client.destroy();
      }
    });
  }
}
