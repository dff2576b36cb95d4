// Logins that keep coming, whatever happens to the account source: right passwords, wrong ones and unknown users by turns.

import { connectWireClient } from '../sessions/wire-client.js';
import { poll } from '../suite/deadline.js';

export interface LoginAnswer {
  readonly kind: 'right' | 'wrong' | 'unknown';
  /** The reply to PASS. */
  readonly reply: string;
  readonly tookMs: number;
}

const everyMs = 20;
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
  #begun = 0;

  constructor(port: number) {
    this.#port = port;
    this.#timer = setInterval(() => {
      this.#logIn().catch((error: unknown) => this.faults.push(String(error)));
    }, everyMs);
  }

  /** Waits for so many answers to logins that begin from now on. @returns them */
  async next(count: number): Promise<readonly LoginAnswer[]> {
    // What was asked before is answered before, or soon after.
    const from = this.answers.length + (this.#begun - this.answers.length);
    await poll(
      `${count} further answers`,
      () => Promise.resolve(this.answers.length >= from + count ? true : undefined),
      60_000,
    );
    return this.answers.slice(from);
  }

  /** Begins no more, and waits for those that are under way. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await poll(
      'all logins to be answered',
      () =>
        Promise.resolve(this.answers.length + this.faults.length >= this.#begun ? true : undefined),
      60_000,
    );
  }

  async #logIn(): Promise<void> {
    const [kind, user, password] = logins[this.#begun % logins.length] ?? logins[0];
    this.#begun += 1;
    const client = await connectWireClient(this.#port);
    try {
      await client.status();
      await client.ok(`USER ${user}`);
      const startedMs = performance.now();
      const reply = await client.command(`PASS ${password}`);
      this.answers.push({ kind, reply, tookMs: performance.now() - startedMs });
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
