// A thread for mail as the sessions' thread sees it: calls that are answered, and whether it stands
// still.

import { SHARE_ENV, Worker } from 'node:worker_threads';
import type { Report } from '../octets/message-octets.js';
import {
  errorOf,
  ping,
  type Answer,
  type Call,
  type Calls,
  type Changes,
  type Request,
} from './calls.js';
import type { MailThreadData } from './mail-thread.js';
import { OpeningTurns } from './opening-turns.js';

const tickMs = 500;

/**
 * After so many ticks in one call of the system the thread counts as standing still: 4 seconds. So
 * long a login waits for it to have time.
 */
const ticksToStandStill = 8;

/** One session's side of the calls. */
export interface Caller {
  readonly maildrop: number;
  readonly report: Report;
  /** Before the answer of a call. */
  readonly apply: (changes: Changes) => void;
}

interface Pending {
  readonly caller: Caller;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class MailThreadHandle {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #callers = new Map<number, Caller>();
  /** Those who do not wait for a thread that stands still. */
  readonly #hurried = new Set<() => void>();
  readonly #turns = new OpeningTurns(ticksToStandStill);
  #nextId = 0;
  #isReady = false;
  /** Since the ping that is not answered; null when there is none. */
  #ticks: number | null = null;
  #timer: NodeJS.Timeout | undefined;
  #ended: Error | null = null;

  constructor(workerData: MailThreadData) {
    this.#worker = new Worker(new URL('./mail-thread.cjs', import.meta.url), {
      workerData,
      execArgv: [],
      env: SHARE_ENV,
      // What the runtime writes does not belong in the log.
      stdout: true,
      stderr: true,
    });
    this.#worker.unref();
    this.#worker.on('message', (answer: Answer) => this.#hear(answer));
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.on('exit', () => this.#end(new Error('a thread for mail ended')));
  }

  /** Whether it has been in one call of the system for long. */
  get standsStill(): boolean {
    return this.#ticks !== null && this.#ticks >= ticksToStandStill;
  }

  get hasEnded(): boolean {
    return this.#ended !== null;
  }

  /** Whether no session needs it. */
  get isIdle(): boolean {
    return this.#pending.size === 0 && this.#callers.size === 0;
  }

  /** Sessions that have a maildrop open there, or are opening one. */
  join(caller: Caller): void {
    this.#callers.set(caller.maildrop, caller);
  }

  leave(caller: Caller): void {
    this.#callers.delete(caller.maildrop);
  }

  /**
   * Waits, however long it takes.
   *
   * @throws what the call throws there; Error when the thread ended
   */
  call<What extends keyof Calls>(
    caller: Caller,
    what: What,
    given: Calls[What][0],
  ): Promise<Calls[What][1]> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    const id = this.#nextId++;
    const { maildrop } = caller;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { caller, resolve, reject });
    });
    // TypeScript does not know that both are of the same call.
    const call = { what, given } as Call;
    this.#send({ id, maildrop, ...call });
    // A process with a session that waits must not end.
    this.#worker.ref();
    this.#timer ??= setInterval(() => this.#tick(), tickMs).unref();
    this.#ping();
    return answer as Promise<Calls[What][1]>;
  }

  /**
   * Waits until the thread has time for a login.
   *
   * @returns to be called when all that it was asked for this login is answered
   * @throws Error when it stands still, or had no time for 4 seconds: then it need not know of it
   */
  takeTurn(): Promise<() => void> {
    return this.standsStill ? Promise.reject(noAnswer()) : this.#turns.take();
  }

  /** Waits for an answer as long as the thread does not stand still. @throws Error when it does */
  async unlessStandingStill<T>(answer: Promise<T>): Promise<T> {
    let giveUp: (() => void) | undefined;
    const standingStill = new Promise<never>((_, reject) => {
      giveUp = () => reject(noAnswer());
      if (this.standsStill) giveUp();
      this.#hurried.add(giveUp);
    });
    try {
      return await Promise.race([answer, standingStill]);
    } finally {
      if (giveUp !== undefined) this.#hurried.delete(giveUp);
    }
  }

  end(): void {
    void this.#worker.terminate();
  }

  #send(request: Request): void {
    this.#worker.postMessage(request);
  }

  /** Its start, with modules to be read, is not what is measured. */
  #ping(): void {
    if (!this.#isReady || this.#ticks !== null) return;
    this.#ticks = 0;
    this.#send(ping);
  }

  /** Ticks are counted, and not time: this thread, too, may have stood still. */
  #tick(): void {
    if (this.#isReady) this.#turns.tick();
    if (this.#ticks === null) {
      if (this.#pending.size > 0) this.#ping();
      else {
        clearInterval(this.#timer);
        this.#timer = undefined;
      }
      return;
    }
    this.#ticks += 1;
    if (!this.standsStill) return;
    this.#turns.giveUpAll(noAnswer());
    for (const giveUp of this.#hurried) giveUp();
  }

  #hear(answer: Answer): void {
    if (answer === 'ready') {
      this.#isReady = true;
      this.#ping();
    } else if (answer === 'pong') {
      this.#ticks = null;
    } else if ('event' in answer) {
      this.#callers.get(answer.maildrop)?.report(answer.event, answer.fields);
    } else {
      const { id, result, changes } = answer;
      const pending = this.#pending.get(id);
      if (pending === undefined) return;
      this.#pending.delete(id);
      if (this.#pending.size === 0) this.#worker.unref();
      if (changes !== null) pending.caller.apply(changes);
      if ('value' in result) pending.resolve(result.value);
      else pending.reject(errorOf(result.failure));
    }
  }

  #end(error: Error): void {
    this.#ended ??= error;
    clearInterval(this.#timer);
    this.#turns.giveUpAll(this.#ended);
    for (const { reject } of this.#pending.values()) reject(this.#ended);
    this.#pending.clear();
  }
}

function noAnswer(): Error {
  return new Error('the file system with the mail does not answer');
}
