// The life of every connection: accepted, judged, admitted or held, handed over, ended.

import type { Socket } from 'node:net';
import type { Log } from '../../system/log/log.js';
import { FailedLogins } from '../../worker/failed-logins.js';
import type { ProgramNews } from '../../worker/session-news.js';
import { FairQueue } from '../fairness/fair-queue.js';
import { hasPeerLeft } from '../fairness/peer-presence.js';
import { ProcessStarts, type ProcessStart } from '../fairness/process-starts.js';
import { SessionsBeforeLogin } from '../fairness/sessions-before-login.js';
import { trustedLevel } from '../fairness/trusted-level.js';
import { tryConnectionFacts, withHeader } from '../handing-over/connection-facts.js';
import type { Session } from '../handing-over/hand-over.js';
import { sourceOf, type Address } from '../rules/address.js';
import type { Endpoint } from '../rules/endpoint.js';
import type { Counters } from '../telling/metrics.js';
import type { Arrival, Client, Stage, Verdict } from './client.js';
import type { PresentSessions } from './present-sessions.js';

export interface LauncherLimits {
  /** Connections served at a time; 1 or more. */
  readonly concurrency: number;
  /** Of them, those of one source; 1 or more. */
  readonly perSource: number;
  /** How many connections may wait now, 0 or more. */
  readonly held: () => number;
}

export interface LauncherOptions {
  readonly log: Log;
  readonly present: PresentSessions;
  /** Never throws. */
  readonly judge: (address: Address) => Verdict;
  readonly limits: LauncherLimits;
  /** What happens to clients of level 0. */
  readonly denied: 'closed' | 'served';
}

/** About a megabyte of them. */
const maxFailingSources = 10_000;

/**
 * A session with a process of its own ends for another client of its source only after so long.
 * Otherwise a client that connects again and again would keep the machine busy with starting
 * processes.
 */
const ownSourceGraceMs = 5000;

export class Launcher {
  readonly #options: LauncherOptions;
  readonly #slots: FairQueue<Client>;
  readonly #starts = new ProcessStarts();
  readonly #beforeLogin = new SessionsBeforeLogin<Client>();
  readonly #failedLogins = new FailedLogins(maxFailingSources);
  readonly #totals = {
    accepted: 0,
    served: 0,
    denied: 0,
    refused: 0,
    failed: 0,
    evicted: 0,
    logins: 0,
    failedLogins: 0,
  };
  #isStopping = false;
  #onIdle: (() => void) | undefined;

  constructor(options: LauncherOptions) {
    this.#options = options;
    const { concurrency, perSource, held } = options.limits;
    this.#slots = new FairQueue({
      places: concurrency,
      perSource,
      exemptLevel: trustedLevel,
      waiting: held,
    });
  }

  get counters(): Counters {
    const { takenCount, waitingCount } = this.#slots;
    return { ...this.#totals, running: takenCount, held: waitingCount };
  }

  /** Keeps `slots` for clients of the trusted levels. */
  reserve(slots: number): void {
    this.#slots.reserve(slots);
    this.#serveWaiting();
  }

  /** Takes charge of an accepted, paused connection. */
  accept(socket: Socket, arrival: Arrival): void {
    this.#totals.accepted += 1;
    const found = tryConnectionFacts(socket);
    if (found === null) {
      this.#totals.refused += 1;
      this.#options.log.write('refuse', { why: 'the peer is gone or has no IP address' });
      socket.destroy();
      return;
    }
    const { header } = arrival;
    const facts = header === null ? found : withHeader(found, header);
    const { address } = facts.remote;
    const verdict = this.#options.judge(address);
    const { level } = verdict;
    const { accepted: number } = this.#totals;
    // A proxy's health check counts against nobody.
    const source = header?.kind === 'own' ? `health check ${number}` : sourceOf(address);
    const at: Stage = { stage: 'waiting' };
    const client: Client = { number, socket, arrival, facts, verdict, level, source, at };
    if (this.#isStopping) this.#refuse(client, 'stopping');
    else if (level === 0 && this.#options.denied === 'closed') {
      this.#totals.denied += 1;
      this.#close(client, 'denied');
    } else this.#admit(client);
  }

  /** Counts a connection of a proxy that is closed already, because it had no header. */
  refuseUnheaded(proxy: Endpoint, why: string): void {
    this.#totals.accepted += 1;
    this.#totals.refused += 1;
    const { address, port } = proxy;
    this.#options.log.write('refuse', { peer: address.text, port, why });
  }

  /** Closes what waits, accepts no more, and resolves when the last session has ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const client of this.#slots.dismiss()) this.#refuse(client, 'stopping');
    if (this.#slots.takenCount === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }

  #admit(client: Client): void {
    const outcome = this.#slots.enter(client);
    switch (outcome.decision) {
      case 'admitted':
        void this.#serve(client);
        break;
      case 'waiting':
        if (outcome.displaced !== undefined) this.#refuse(outcome.displaced, 'displaced');
        this.#makeRoomFor(client);
        break;
      case 'refused':
        // It comes too late for this client, but others are waiting.
        this.#makeRoomFor(client);
        this.#refuse(client, 'too many connections');
        break;
    }
  }

  /** Ends one session that has not logged in for a client that lacks only a slot. */
  #makeRoomFor(successor: Client): void {
    if (this.#slots.lacksOnlyPlace(successor)) this.#endSessionFor(successor);
  }

  #endSessionFor(successor: Client): void {
    const found = this.#beforeLogin.findFor(successor);
    if (found === undefined) return;
    const { session: client, sinceMs } = found;
    const isOwn = client.source === successor.source && client.arrival.handOver.isCostly;
    if (isOwn && performance.now() - sinceMs < ownSourceGraceMs) return;
    this.#beforeLogin.delete(client);
    const { at } = client;
    client.at = { stage: 'leaving', successor };
    if (at.stage === 'starting') at.start?.end();
    if (at.stage === 'served') this.#evict(client, at.session, successor);
  }

  #evict({ facts, level }: Client, { pid, evict }: Session, successor: Client): void {
    if (evict === undefined) return;
    this.#totals.evicted += 1;
    this.#options.log.write('evict', {
      peer: facts.remote.address.text,
      port: facts.remote.port,
      level,
      pid,
      for: successor.facts.remote.address.text,
    });
    evict();
  }

  #hear(client: Client, news: ProgramNews): void {
    switch (news.what) {
      case 'ready':
        break;
      case 'login':
        this.#totals.logins += 1;
        this.#options.present.logIn(client, news.user);
        client.at = { stage: 'logged-in' };
        this.#beforeLogin.delete(client);
        break;
      case 'failed-login':
        this.#totals.failedLogins += 1;
        this.#failedLogins.add(client.source, news.delayMs);
        break;
    }
  }

  /** Never rejects. The client has its slot, which is always given back here. */
  async #serve(client: Client): Promise<void> {
    const start = client.arrival.handOver.isCostly
      ? this.#starts.request(client, client.socket)
      : undefined;
    client.at = { stage: 'starting', start };
    // Added before its program starts: when all slots are taken by programs that are starting, one
    // of them can then be ended for another client.
    const sinceMs = performance.now();
    this.#beforeLogin.add(client, sinceMs);
    const whyNot = (await start?.whyNot) ?? null;
    if (whyNot === null) await this.#handOver(client, start, sinceMs);
    else this.#refuse(client, whyNot);
    start?.end();
    this.#options.present.end(client);
    this.#beforeLogin.delete(client);
    this.#slots.release(client);
    this.#serveWaiting();
    if (this.#slots.takenCount === 0) this.#onIdle?.();
  }

  async #handOver(client: Client, start: ProcessStart | undefined, sinceMs: number): Promise<void> {
    const { socket, arrival, facts, level, source } = client;
    try {
      const session = await arrival.handOver.serve({
        socket,
        facts,
        level,
        source,
        failures: this.#failedLogins.of(source),
        hear: (news) => {
          start?.end();
          this.#hear(client, news);
        },
        onNoRoom: () => {
          // It has no session yet, so ending it would free nothing.
          this.#beforeLogin.delete(client);
          this.#endSessionFor(client);
        },
      });
      this.#totals.served += 1;
      if (!session.isStarting) start?.end();
      if (session.evict === undefined) this.#beforeLogin.delete(client);
      else if (client.at.stage === 'starting') this.#beforeLogin.add(client, sinceMs);
      if (client.at.stage === 'leaving') this.#evict(client, session, client.at.successor);
      if (client.at.stage === 'starting') client.at = { stage: 'served', session };
      this.#options.present.begin(client, session);
      await this.#watch(client, session);
    } catch (error) {
      this.#totals.failed += 1;
      this.#close(client, error instanceof Error ? error.message : String(error));
    }
  }

  async #watch({ arrival, facts, verdict }: Client, { pid, ended }: Session): Promise<void> {
    const startedMs = performance.now();
    const peer = facts.remote.address.text;
    const { port } = facts.remote;
    const { level, line } = verdict;
    const proxy = facts.proxied?.proxy.text;
    const on = arrival.port;
    this.#options.log.write('connect', { peer, port, on, proxy, level, rule: line, pid });
    const { status, signal } = await ended;
    this.#options.log.write('end', {
      peer,
      port,
      pid,
      status: status ?? undefined,
      signal: signal ?? undefined,
      seconds: ((performance.now() - startedMs) / 1000).toFixed(3),
    });
  }

  #serveWaiting(): void {
    for (;;) {
      const client = this.#slots.next();
      if (client === undefined) return;
      if (hasPeerLeft(client.socket)) {
        this.#slots.release(client);
        this.#refuse(client, 'the peer left while it waited');
      } else void this.#serve(client);
    }
  }

  #refuse(client: Client, why: string): void {
    this.#totals.refused += 1;
    this.#close(client, why);
  }

  #close({ socket, facts, verdict }: Client, why: string): void {
    this.#options.log.write('refuse', {
      peer: facts.remote.address.text,
      port: facts.remote.port,
      level: verdict.level,
      rule: verdict.line,
      why,
    });
    socket.destroy();
  }
}
