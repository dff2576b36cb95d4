// When a login may be answered. Failed logins of a network delay the next answer to that network,
// also a positive one. This makes guessing passwords slow; a mistyped password costs a moment.

import { after } from '../../system/runtime/after.js';
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
   *   so that the time of the reply does not show how long the password's hash took
   */
  async fail(sinceMs: number): Promise<void> {
    const { starter, firstMs, input, output } = this.#options;
    const delayMs = failureDelayMs(firstMs, starter.recentFailures().count + 1);
    starter.failLogin(delayMs, sinceMs);
    await this.#waitUntil(sinceMs + delayMs);
    // Commands that a peer sent before it disconnected may be further guesses: they are not run.
    if (output.isDead) input.discard();
  }

  /**
   * Waits until a right password may be answered.
   *
   * @returns false when the session is to end instead
   */
  succeed(): boolean | Promise<boolean> {
    return after(this.#waitUntil(0), () => this.#options.input.interruption === null);
  }

  /** @param ms a time of performance.now(). The wait is longer when the network's delay is */
  #waitUntil(ms: number): undefined | Promise<void> {
    const leftMs = Math.max(ms - performance.now(), this.#options.starter.recentFailures().owedMs);
    return leftMs <= 0 ? undefined : this.#wait(leftMs);
  }

  async #wait(ms: number): Promise<void> {
    const { input, output } = this.#options;
    const paused = input.pause(Math.ceil(ms));
    // The answers to what came before are not late.
    await output.flush();
    await paused;
  }
}
