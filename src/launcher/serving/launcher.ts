// The life of every connection: accepted, judged, admitted or held, handed over, ended; a log line for each step.

import type { Socket } from 'node:net';
import type { Log } from '../../system/log/log.js';
import { FailedLogins } from '../../worker/failed-logins.js';
import type { ProgramNews } from '../../worker/session-news.js';
import { Admission, type AdmissionLimits } from '../fairness/admission.js';
import { sourceOf, type Address } from '../rules/address.js';
import { tryConnectionFacts, type ConnectionFacts } from '../handing-over/connection-facts.js';
import type { HandOver, Session } from '../handing-over/hand-over.js';
import type { Counters } from '../telling/metrics.js';
import { hasPeerLeft } from '../fairness/peer-presence.js';
import { StartingLine, type Turn } from '../fairness/starting-line.js';
import { Strangers } from '../fairness/strangers.js';

/** What the access rules say of an address. */
export interface Verdict {
  /** 0: denied. */
  readonly level: number;
  /** The line of the rule that decided; undefined when none did. */
  readonly line: number | undefined;
}

export interface LauncherOptions {
  readonly log: Log;
  readonly handOver: HandOver;
  /** Never throws. */
  readonly judge: (address: Address) => Verdict;
  readonly limits: AdmissionLimits;
  /** What happens to clients of level 0. */
  readonly denied: 'closed' | 'served';
}

/** About a megabyte of them. */
const maxFailingSources = 10_000;

/**
 * A process of its own gives way to another client of its source only after so long: somebody who comes again and again
 * would otherwise keep the machine busy with starting processes.
 */
const ownTurnMs = 5000;

interface Client {
  /** Counts those that got a slot, this one included. */
  number: number;
  readonly socket: Socket;
  readonly facts: ConnectionFacts;
  readonly verdict: Verdict;
  readonly level: number;
  readonly source: string;
  hasLoggedIn: boolean;
  /** When it got its slot. */
  servedSinceMs: number;
  /** To have its program started, where it is not a kept one. */
  turn: Turn | undefined;
  /** Once it is served. */
  session: Session | undefined;
  /** The client it must give way to. */
  evictedFor: Client | undefined;
}

export class Launcher {
  readonly #options: LauncherOptions;
  readonly #admission: Admission<Client>;
  readonly #strangers = new Strangers<Client>();
  readonly #startingLine = new StartingLine();
  readonly #failedLogins = new FailedLogins(maxFailingSources, () => performance.now());
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
  #slotsGiven = 0;
  #isStopping = false;
  #onIdle: (() => void) | undefined;

  constructor(options: LauncherOptions) {
    this.#options = options;
    this.#admission = new Admission(options.limits);
  }

  get counters(): Counters {
    const { servedCount, heldCount } = this.#admission;
    return { ...this.#totals, running: servedCount, held: heldCount };
  }

  /** Keeps `slots` for clients of the trusted levels. */
  reserve(slots: number): void {
    this.#admission.reserve(slots);
    this.#serveHeld();
  }

  /** Takes charge of an accepted, paused connection. */
  accept(socket: Socket): void {
    this.#totals.accepted += 1;
    const facts = tryConnectionFacts(socket);
    if (facts === null) {
      this.#totals.refused += 1;
      this.#options.log.write('refuse', { why: 'the peer is gone or has no IP address' });
      socket.destroy();
      return;
    }
    const { address } = facts.remote;
    const verdict = this.#options.judge(address);
    const client: Client = {
      number: 0,
      socket,
      facts,
      verdict,
      level: verdict.level,
      source: sourceOf(address),
      hasLoggedIn: false,
      servedSinceMs: 0,
      turn: undefined,
      session: undefined,
      evictedFor: undefined,
    };
    if (this.#isStopping) this.#refuse(client, 'stopping');
    else if (verdict.level === 0 && this.#options.denied === 'closed') {
      this.#totals.denied += 1;
      this.#close(client, 'denied');
    } else this.#admit(client);
  }

  /** Closes those that wait, accepts no more, and resolves when the last running session has ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const client of this.#admission.dismiss()) this.#refuse(client, 'stopping');
    if (this.#admission.servedCount === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }

  #admit(client: Client): void {
    const outcome = this.#admission.apply(client);
    switch (outcome.decision) {
      case 'admitted':
        void this.#serve(client);
        break;
      case 'held':
        if (outcome.displaced !== undefined) this.#refuse(outcome.displaced, 'displaced');
        this.#makeRoomFor(client);
        break;
      case 'refused':
        // Of use to those that wait.
        this.#makeRoomFor(client);
        this.#refuse(client, 'too many connections');
        break;
    }
  }

  /** One session that has not logged in, if there is one, is ended for a client that waits for nothing but a slot. */
  #makeRoomFor(newcomer: Client): void {
    if (!this.#admission.lacksOnlySlot(newcomer)) return;
    const stranger = this.#strangers.findFor(newcomer);
    if (stranger === undefined || !this.#maySupersede(newcomer, stranger)) return;
    this.#strangers.delete(stranger);
    stranger.evictedFor = newcomer;
    this.#evictIfDue(stranger);
  }

  #maySupersede(newcomer: Client, stranger: Client): boolean {
    if (newcomer.source !== stranger.source || !this.#options.handOver.isCostly) return true;
    return performance.now() - stranger.servedSinceMs >= ownTurnMs;
  }

  #evictIfDue({ evictedFor, turn, session, hasLoggedIn, facts, verdict }: Client): void {
    if (evictedFor === undefined) return;
    if (session === undefined) {
      turn?.leave();
      return;
    }
    if (session.evict === undefined || hasLoggedIn) return;
    this.#totals.evicted += 1;
    this.#options.log.write('evict', {
      peer: facts.remote.address.text,
      port: facts.remote.port,
      level: verdict.level,
      pid: session.pid,
      for: evictedFor.facts.remote.address.text,
    });
    session.evict();
  }

  #hear(client: Client, news: ProgramNews): void {
    client.turn?.leave();
    switch (news) {
      case 'ready':
        break;
      case 'login':
        this.#totals.logins += 1;
        client.hasLoggedIn = true;
        this.#strangers.delete(client);
        break;
      case 'failed-login':
        this.#totals.failedLogins += 1;
        this.#failedLogins.add(client.source);
        break;
    }
  }

  /** Never rejects. The client has its slot; it is given back here whatever happens. */
  async #serve(client: Client): Promise<void> {
    client.servedSinceMs = performance.now();
    client.number = this.#slotsGiven += 1;
    // From now on: newcomers do not wait until they meet a session that was about to start when they came.
    this.#strangers.add(client);
    if (this.#options.handOver.isCostly) {
      client.turn = this.#startingLine.enter(client, client.socket);
    }
    const whyNot = (await client.turn?.whyNot) ?? null;
    if (whyNot === null) await this.#handOver(client);
    else this.#refuse(client, whyNot);
    client.turn?.leave();
    this.#strangers.delete(client);
    this.#admission.release(client);
    this.#serveHeld();
    if (this.#admission.servedCount === 0) this.#onIdle?.();
  }

  async #handOver(client: Client): Promise<void> {
    const { socket, facts, level } = client;
    try {
      const session = await this.#options.handOver.serve({
        socket,
        facts,
        level,
        failedLogins: this.#failedLogins.countOf(client.source),
        hear: (news) => this.#hear(client, news),
      });
      this.#totals.served += 1;
      client.session = session;
      if (!session.isStarting) client.turn?.leave();
      if (session.evict === undefined) this.#strangers.delete(client);
      this.#evictIfDue(client);
      await this.#watch(client, session);
    } catch (error) {
      this.#totals.failed += 1;
      this.#close(client, error instanceof Error ? error.message : String(error));
    }
  }

  async #watch({ facts, verdict }: Client, { pid, ended }: Session): Promise<void> {
    const startedMs = performance.now();
    const peer = facts.remote.address.text;
    this.#options.log.write('connect', {
      peer,
      port: facts.remote.port,
      level: verdict.level,
      rule: verdict.line,
      pid,
    });
    const { status, signal } = await ended;
    this.#options.log.write('end', {
      peer,
      port: facts.remote.port,
      pid,
      status: status ?? undefined,
      signal: signal ?? undefined,
      seconds: ((performance.now() - startedMs) / 1000).toFixed(3),
    });
  }

  #serveHeld(): void {
    for (;;) {
      const client = this.#admission.next();
      if (client === undefined) return;
      if (hasPeerLeft(client.socket)) {
        this.#admission.release(client);
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
