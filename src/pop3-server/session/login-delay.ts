// When the verdict on a login may be told. Failed logins of the client's network delay the next
// answer, whatever it is: guessing gets slow, a mistyped password costs a moment.

import { failureDelayMs } from './failure-delay.js';
import type { SessionInput } from './session-input.js';
import type { SessionOutput } from './session-output.js';
import type { Starter } from './starter.js';

export interface LoginDelayOptions {
  readonly starter: Starter;
  /** For the first failed login; 0 switches delays off. */
  readonly firstMs: number;
  readonly input: SessionInput;
  readonly output: SessionOutput;
}

export class LoginDelay {
  readonly #options: LoginDelayOptions;

  constructor(options: LoginDelayOptions) {
    this.#options = options;
  }

  /**
   * Counts a failed login, and waits until it may be answered.
   *
   * @param sinceMs when its command came, a time of performance.now(). The delay counts from then,
   *   so that what the verdict took does not show: hashes of several kinds take several times
   */
  async fail(sinceMs: number): Promise<void> {
    const { starter, firstMs, input, output } = this.#options;
    const delayMs = failureDelayMs(firstMs, starter.recentFailures().count + 1);
    starter.failLogin(delayMs, sinceMs);
    await this.#waitUntil(sinceMs + delayMs);
    // Guesses that a peer who is gone sent ahead are not looked at.
    if (output.isDead) input.discard();
  }

  /**
   * Waits until a right password may be answered.
   *
   * @returns false when the session is to end instead
   */
  async succeed(): Promise<boolean> {
    await this.#waitUntil(0);
    return this.#options.input.interruption === null;
  }

  /** @param ms a time of performance.now(); later when the client's network owes more */
  async #waitUntil(ms: number): Promise<void> {
    const { starter, input, output } = this.#options;
    const leftMs = Math.max(ms - performance.now(), starter.recentFailures().owedMs);
    const paused = input.pause(Math.ceil(leftMs));
    // The answers to what came before are not late.
    await output.flush();
    await paused;
  }
}
