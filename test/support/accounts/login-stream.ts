// Logins that keep coming, whatever happens to the account source: right passwords, wrong ones and unknown users by turns.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { connectWireClient } from '../sessions/wire-client.js';
import { poll } from '../suite/deadline.js';

export interface LoginAnswer {
  /** The logins are counted from 0 as they begin. */
  readonly number: number;
  readonly kind: 'right' | 'wrong' | 'unknown';
  /** The reply to PASS. */
  readonly reply: string;
  readonly tookMs: number;
}

/** Longer than any answer may take, on a loaded machine too. */
const patienceMs = 60_000;
const ticksPerSecond = 50;
/** A machine that is too slow for so many logins a second gets fewer. */
const mostSecondsUnderWay = 8;
const logins = [
  ['right', 'ann@example.org', 'secret'],
  ['wrong', 'ann@example.org', 'guess'],
  ['right', 'ann@example.org', 'secret'],
  ['unknown', 'nobody@example.org', 'secret'],
] as const;

export class LoginStream {
  readonly answers: LoginAnswer[] = [];
  /** What went wrong but for the reply. */
  readonly faults: string[] = [];
  readonly #port: number;
  readonly #timer: NodeJS.Timeout;
  readonly #ownDelay = monitorEventLoopDelay();
  #begun = 0;

  constructor(port: number, perSecond: number) {
    this.#port = port;
    this.#ownDelay.enable();
    this.#timer = setInterval(() => {
      for (let count = 0; count < perSecond / ticksPerSecond; count += 1) {
        if (this.#underWay >= mostSecondsUnderWay * perSecond) return;
        this.#logIn().catch((error: unknown) => this.faults.push(String(error)));
      }
    }, 1000 / ticksPerSecond);
  }

  /** By how much the latest answer may seem later than it was: this process had no turn meanwhile. */
  get ownDelayMs(): number {
    return this.#ownDelay.max / 1e6;
  }

  /** Waits for so many answers to logins that begin from now on. @returns them */
  async next(count: number): Promise<readonly LoginAnswer[]> {
    const from = this.#begun;
    return poll(
      `${count} further answers`,
      () => {
        const further = this.answers.filter(({ number }) => number >= from);
        return Promise.resolve(further.length >= count ? further : undefined);
      },
      patienceMs,
    );
  }

  /** Waits until the source was asked and answered each time, so many times in a row. */
  async decides(when: string, count = 5): Promise<void> {
    await poll(
      `answers ${when}`,
      async () => ((await this.next(count)).every(isDecided) ? true : undefined),
      patienceMs,
    );
  }

  /** Begins no more, and waits for those that are under way. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    this.#ownDelay.disable();
    await poll(
      'all logins to be answered',
      () => Promise.resolve(this.#underWay === 0 ? true : undefined),
      patienceMs,
    );
  }

  get #underWay(): number {
    return this.#begun - this.answers.length - this.faults.length;
  }

  async #logIn(): Promise<void> {
    const number = this.#begun;
    const [kind, user, password] = logins[number % logins.length] ?? logins[0];
    this.#begun += 1;
    const client = await connectWireClient(this.#port);
    try {
      await client.status();
      await client.ok(`USER ${user}`);
      const startedMs = performance.now();
      const reply = await client.command(`PASS ${password}`);
      this.answers.push({ number, kind, reply, tookMs: performance.now() - startedMs });
    } finally {
      client.destroy();
    }
  }
}

/** Whether a reply is true, or admits that nothing could be found out. */
export function isHonest({ kind, reply }: LoginAnswer): boolean {
  if (reply.startsWith('-ERR [SYS/TEMP]')) return true;
  return kind === 'right' ? reply.startsWith('+OK') : reply.startsWith('-ERR [AUTH]');
}

/** Whether the source was asked and answered. */
export function isDecided({ reply }: LoginAnswer): boolean {
  return !reply.startsWith('-ERR [SYS/TEMP]');
}
