// What happens to a cluster under load, one thing after the other, and what clients must not notice of it.

import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster, ClusterNode } from './cluster.js';
import { DatabaseOutages } from './database-outages.js';
import type { BrokenSession, Load } from './load.js';
import type { MailLedger } from './mail-ledger.js';
import { seeNewMail } from './new-mail.js';
import { shareMaildrop } from './one-maildrop.js';

/** How long things may take; what this process was late itself is added. */
export interface TrialTerms {
  /** A login after a node of the front is gone. */
  readonly frontMs: number;
  /** A login while storage comes and goes. */
  readonly storageMs: number;
  /** A login after a database is gone. */
  readonly databaseMs: number;
  /** Until new mail is listed by all nodes. */
  readonly visibleMs: number;
}

export interface TrialParts {
  readonly cluster: Cluster;
  readonly load: Load;
  readonly ledger: MailLedger;
  readonly random: (limit: number) => number;
  /** Passwords of users whom the load leaves alone: one for each pair of nodes. */
  readonly watched: ReadonlyMap<string, string>;
  /** A user whose password changes, and whom nobody else knows. */
  readonly changing: string;
}

type ThreeNodes = readonly [ClusterNode, ClusterNode, ClusterNode];

/** Seconds; both nodes are as far from the third. */
const clockShift = 60;
/** To each maildrop that is watched. */
const newMails = 2;
/** Sessions before the first thing happens, and after each. */
const [sessionsBefore, sessionsAfter] = [60, 20];
/** How long things last, and what follows them. */
const [frontMs, storageMs, afterwardsMs] = [4000, 15_000, 3000];

export class ClusterTrial {
  readonly figures: string[] = [];
  readonly #parts: TrialParts;
  readonly #terms: TrialTerms;
  readonly #skewed = new Set<ClusterNode>();
  readonly #databases: DatabaseOutages;
  #round = 0;

  constructor(parts: TrialParts, terms: TrialTerms) {
    this.#parts = parts;
    this.#terms = terms;
    this.#databases = new DatabaseOutages(parts, (what, happen) =>
      this.#see(what, terms.databaseMs, [], happen),
    );
  }

  /** All that can happen, once, and each time to other nodes. */
  async haveRound(): Promise<void> {
    const { nodes } = this.#parts.cluster;
    const [one, two, three] = [0, 1, 2].map((index) => nodes[(index + this.#round) % 3]) as [
      ...ThreeNodes,
    ];
    this.#round += 1;
    for (const node of this.#skewed) await this.#setClock(node, 0);
    await this.#parts.load.goOn(sessionsBefore);
    await this.#shareMaildrop();
    await this.#loseFronts(one, two);
    await this.#loseStorage(three);
    await this.#databases.loseEach();
    // Storage is started anew for it, and how long a login takes meanwhile is promised to nobody.
    await this.#see('clocks', Infinity, [], async () => {
      await this.#setClock(two, clockShift);
      await this.#setClock(three, -clockShift);
      await this.#seeNewMail();
    });
  }

  async #shareMaildrop(): Promise<void> {
    const { cluster, watched, ledger, load, random } = this.#parts;
    const [user, password] = [...watched][0] ?? ['', ''];
    const newAddress = (): string => load.newAddress();
    await this.#see('one maildrop', Infinity, [], async () => {
      const { nodes } = cluster;
      await shareMaildrop(nodes, { user, password, ledger, newAddress }, random, (session) =>
        load.broken.push(session),
      );
    });
  }

  async #loseFronts(killed: ClusterNode, drained: ClusterNode): Promise<void> {
    await this.#see('front killed', this.#terms.frontMs, [killed], async () => {
      await killed.front.kill();
      await delay(frontMs);
      await killed.front.start();
    });
    await this.#see('front drained', this.#terms.frontMs, [], async () => {
      const leaving = drained.front.drain();
      await delay(frontMs);
      const ending = await leaving;
      if (ending?.status !== 0) this.#fault(`it left with ${JSON.stringify(ending)}`);
      await drained.front.start();
    });
  }

  /** With the front of that node: it is one machine. */
  async #loseStorage(node: ClusterNode): Promise<void> {
    const { volume } = this.#parts.cluster;
    await this.#see('storage cut off', this.#terms.storageMs, [node], async () => {
      node.host.cut();
      await delay(storageMs);
      node.host.mend();
      await volume.healed();
      if (volume.givesUpMounts) await this.#mountAnew(node);
    });
  }

  /** With its front, which has its directory in the old mount. */
  async #mountAnew({ host, front, mountPoint }: ClusterNode): Promise<void> {
    const { volume } = this.#parts.cluster;
    await front.drain();
    await volume.unmount(host, mountPoint);
    await volume.mount(host, mountPoint);
    await front.start();
  }

  /** Starts all of a node's programs that touch mail anew, with another clock. */
  async #setClock(node: ClusterNode, aheadSeconds: number): Promise<void> {
    const { host, front, mountPoint } = node;
    const { volume } = this.#parts.cluster;
    await front.drain();
    await volume.unmount(host, mountPoint);
    await volume.killStorage(host);
    await volume.startStorage(host, aheadSeconds);
    await volume.mount(host, mountPoint, aheadSeconds);
    await front.start(aheadSeconds);
    await volume.healed();
    if (aheadSeconds === 0) this.#skewed.delete(node);
    else this.#skewed.add(node);
  }

  /** From each node to each other, all at once. */
  async #seeNewMail(): Promise<void> {
    const { cluster, watched, ledger, load } = this.#parts;
    const { nodes } = cluster;
    const newAddress = (): string => load.newAddress();
    const pairs = nodes.flatMap((from) =>
      nodes.filter((to) => to !== from).map((to) => [from, to] as const),
    );
    const users = [...watched];
    const tookMs: number[] = [];
    for (let times = 0; times < newMails; times += 1) {
      const seen = pairs.map(([from, to], index) => {
        const [user, password] = users[index] ?? ['', ''];
        return seeNewMail(from, to, { user, password, ledger, newAddress });
      });
      tookMs.push(...(await Promise.all(seen)));
    }
    const latest = Math.max(...tookMs);
    this.figures.push(`of ${tookMs.length} the latest was listed after ${latest.toFixed(0)} ms`);
    if (latest > this.#terms.visibleMs + load.ownDelayMs) {
      this.#fault(`new mail was listed after ${latest.toFixed(0)} ms`);
    }
  }

  /** @param losers the nodes whose sessions may end before their time */
  async #see(
    what: string,
    longestMs: number,
    losers: readonly ClusterNode[],
    happen: () => Promise<void>,
  ): Promise<void> {
    const { load } = this.#parts;
    const fromMs = performance.now();
    const { refused } = load.counts;
    await happen();
    await load.goOn(sessionsAfter);
    await delay(afterwardsMs);
    const toMs = performance.now();
    const { count, tookMs } = load.longestLogin(fromMs, toMs);
    if (tookMs > longestMs + load.ownDelayMs) {
      this.#fault(`${what}: a login took ${tookMs.toFixed(0)} ms`);
    }
    const broken = load.broken.splice(0);
    for (const session of broken) {
      const served = await this.#serverOf(session);
      if (served === undefined ? losers.length > 0 : losers.includes(served)) continue;
      const { address, error, startedMs, atMs } = session;
      const when = [startedMs, atMs].map((ms) => (ms - fromMs).toFixed(0)).join(' to ');
      const where = served?.host.name ?? 'no node';
      const told = await served?.front.logOf(address);
      this.#fault(
        `${what}: a session of ${where}, ${address}, ${when} ms: ${error}\n${told ?? ''}`,
      );
    }
    const seconds = ((toMs - fromMs) / 1000).toFixed(0);
    const sessions = `${load.counts.refused - refused} sessions refused, ${broken.length} ended`;
    this.figures.push(
      `${what}: ${seconds} s, ${count} logins, the longest ${tookMs.toFixed(0)} ms, ${sessions}`,
    );
  }

  /** @returns undefined when no node has heard of it */
  async #serverOf({ address }: BrokenSession): Promise<ClusterNode | undefined> {
    const line = new RegExp(`connect .*peer=${address.replaceAll('.', '\\.')}\\b`);
    for (const node of this.#parts.cluster.nodes) {
      if (line.test(await node.front.log())) return node;
    }
    return undefined;
  }

  #fault(what: string): void {
    this.#parts.ledger.faults.push(what);
  }
}
