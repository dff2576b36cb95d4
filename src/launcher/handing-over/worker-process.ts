// One kept worker: its process, its channel, the connections it was given. doc/tcpsrun-worker.7.

import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ProgramEnd, StartedProgram } from '../../run-file/start-program.js';
import { ChurningMap } from '../../system/runtime/churning-map.js';
import type { SessionNews } from '../../worker/session-news.js';
import {
  tryWorkerMessage,
  type ConnectionMessage,
  type EvictMessage,
  type KickMessage,
  type SessionsMessage,
  type WorkerMessage,
} from '../../worker/worker-protocol.js';

export interface WorkerEvents {
  /** It can be given a connection, the first or another. */
  readonly onFree: () => void;
  readonly onRetire: (worker: WorkerProcess, why: string) => void;
}

/** `died` and `full` leave the connection the launcher's. */
export type Offer =
  | {
      readonly offer: 'taken';
      readonly ended: Promise<ProgramEnd>;
      /** As in `Session`. */
      readonly evict: (() => void) | undefined;
      readonly kick: () => void;
    }
  | { readonly offer: 'full' }
  | { readonly offer: 'died' };

/** A connection that this worker is offered. */
interface Offered {
  readonly id: number;
  readonly hear: (news: SessionNews) => void;
  readonly settle: (offer: Offer) => void;
}

/** One that it took. */
interface TakenSession {
  readonly hear: (news: SessionNews) => void;
  readonly end: (end: ProgramEnd) => void;
}

/** How long a worker may keep the launcher waiting before it is killed. */
export interface WorkerTimes {
  /** One that says nothing to a connection for so long is stuck. */
  readonly takeMs: number;
  /** A program that is not ready by then is taken for one that does not know the protocol. */
  readonly readyMs: number;
}

const usualTimes: WorkerTimes = { takeMs: 10_000, readyMs: 20_000 };

/** A worker without room is asked again when one of its sessions has ended, or after this time. */
const fullMs = 1000;

/** Most workers close their channel by ending, which is known a moment later. */
const hangUpGraceMs = 1000;

export class WorkerProcess {
  readonly pid: number;
  /** Never rejects. */
  readonly ended: Promise<ProgramEnd>;
  readonly startedMs = performance.now();
  readonly #child: ChildProcess;
  readonly #events: WorkerEvents;
  readonly #sessions = new ChurningMap<number, TakenSession>();
  #state: 'starting' | 'ready' | 'retired' | 'dead' = 'starting';
  #greeting: string | null = null;
  #offered: Offered | undefined;
  #isFull = false;
  #reportsLogins = false;
  #givenCount = 0;
  #wasReady = false;
  readonly #readyTimer: NodeJS.Timeout;
  /** One for all connections: a timer for each would cost more than the offer. */
  readonly #takeTimer: NodeJS.Timeout;

  constructor(
    program: StartedProgram,
    events: WorkerEvents,
    { takeMs, readyMs }: WorkerTimes = usualTimes,
  ) {
    this.pid = program.pid;
    this.#child = program.child;
    this.#events = events;
    this.ended = program.ended.then(async (end) => {
      // What it said before it died is read first: what it took must not be given to another.
      await nextTurn();
      await nextTurn();
      return this.#die(end);
    });
    this.#takeTimer = setTimeout(() => {
      if (this.#offered !== undefined) program.kill('SIGKILL');
    }, takeMs).unref();
    this.#readyTimer = setTimeout(() => program.kill('SIGKILL'), readyMs);
    program.child.on('disconnect', () => this.#hangUp());
    program.child.on('message', (message) => this.#hear(tryWorkerMessage(message)));
  }

  /** Whether it ever could be given connections. */
  get wasReady(): boolean {
    return this.#wasReady;
  }

  get isReady(): boolean {
    return this.#state === 'ready';
  }

  /** Whether it can be offered a connection now. One at a time: a death leaves one undecided. */
  get isFree(): boolean {
    return this.#state === 'ready' && this.#offered === undefined && !this.#isFull;
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** Connections it was given in its life. */
  get givenCount(): number {
    return this.#givenCount;
  }

  get greeting(): string | null {
    return this.#greeting;
  }

  /**
   * Offers a connection to a free worker. The launcher keeps its copy open until this says `taken`.
   * Never rejects.
   *
   * @param hear gets what the worker tells of the session
   */
  offer(
    message: ConnectionMessage,
    socket: Socket,
    hear: (news: SessionNews) => void,
  ): Promise<Offer> {
    this.#givenCount += 1;
    return new Promise((resolve) => {
      this.#takeTimer.refresh();
      this.#offered = {
        id: message.id,
        hear,
        settle: (offer) => {
          this.#offered = undefined;
          resolve(offer);
        },
      };
      // Without a server Node keeps no list of its sockets in the worker.
      (socket as { server?: unknown }).server = null;
      this.#child.send(message, socket, { keepOpen: true }, () => undefined);
    });
  }

  /** Gives it no more connections. Its channel is closed, and it ends, after its last session. */
  retire(): void {
    if (this.#state === 'dead') return;
    this.#stopOffering();
    this.#disconnectWhenDone();
  }

  #hangUp(): void {
    const isOurs = this.#state === 'retired';
    this.#stopOffering();
    if (isOurs) return;
    setTimeout(() => {
      if (this.#state !== 'dead') this.#events.onRetire(this, 'it closed its channel');
    }, hangUpGraceMs).unref();
  }

  /** A worker that never was ready may not notice its channel's end: its timer stays. */
  #stopOffering(): void {
    if (this.#state !== 'dead') this.#state = 'retired';
  }

  /** What is on its way must be settled first: nothing comes through a closed channel. */
  #disconnectWhenDone(): void {
    const isDone = this.#offered === undefined && this.#sessions.size === 0;
    if (this.#state === 'retired' && isDone && this.#child.connected) this.#child.disconnect();
  }

  #take(id: number): void {
    if (this.#offered?.id !== id) return;
    const { hear, settle } = this.#offered;
    const ended = new Promise<ProgramEnd>((end) => this.#sessions.set(id, { hear, end }));
    const tell = (message: EvictMessage | KickMessage): void => {
      if (this.#child.connected) this.#child.send(message, () => undefined);
    };
    const evict = this.#reportsLogins ? (): void => tell({ kind: 'evict', id }) : undefined;
    settle({ offer: 'taken', ended, evict, kick: () => tell({ kind: 'kick', id }) });
  }

  #refuse(id: number): void {
    if (this.#offered?.id !== id) return;
    this.#isFull = true;
    setTimeout(() => this.#makeFree(), fullMs).unref();
    this.#givenCount -= 1;
    this.#offered.settle({ offer: 'full' });
  }

  #makeFree(): void {
    this.#isFull = false;
    this.#events.onFree();
  }

  #hearOfSessions(message: SessionsMessage): void {
    const { loggedIn, users, failedLogins, failureDelaysMs, ended } = message;
    for (const [at, id] of failedLogins.entries()) {
      const delayMs = Math.max(0, failureDelaysMs[at] ?? 0);
      this.#sessions.get(id)?.hear({ what: 'failed-login', delayMs });
    }
    for (const [at, id] of loggedIn.entries()) {
      this.#sessions.get(id)?.hear({ what: 'login', user: users[at] ?? undefined });
    }
    for (const id of ended) {
      this.#sessions.get(id)?.end({ status: 0, signal: null });
      this.#sessions.delete(id);
    }
  }

  #hear(message: WorkerMessage | null): void {
    switch (message?.kind) {
      case undefined:
        return;
      case 'ready':
        if (this.#state !== 'starting') return;
        this.#greeting = message.greeting;
        this.#reportsLogins = message.reportsLogins;
        this.#state = 'ready';
        this.#wasReady = true;
        clearTimeout(this.#readyTimer);
        this.#events.onFree();
        return;
      case 'taken':
        this.#take(message.id);
        this.#events.onFree();
        return;
      case 'full':
        this.#refuse(message.id);
        return;
      case 'sessions':
        this.#hearOfSessions(message);
        this.#disconnectWhenDone();
        if (this.#isFull && message.ended.length > 0) this.#makeFree();
        return;
      case 'retire':
        this.#events.onRetire(this, message.why);
        return;
    }
  }

  #die(end: ProgramEnd): ProgramEnd {
    this.#state = 'dead';
    clearTimeout(this.#readyTimer);
    clearTimeout(this.#takeTimer);
    this.#offered?.settle({ offer: 'died' });
    for (const [id, session] of this.#sessions.entries()) {
      session.end(end);
      this.#sessions.delete(id);
    }
    return end;
  }
}
