// What a session may do wrong before it is ended: commands that are none of POP3's, and failed
// logins.

import type { SessionLimits } from '../commands/service.js';

/** Names the text of the last reply. */
export type Excess = 'too-many-bad-commands' | 'too-many-failed-logins';

export class ErrorBudget {
  readonly #limits: SessionLimits;
  #badCommands = 0;
  #failedLogins = 0;
  #hasLoggedIn = false;

  constructor(limits: SessionLimits) {
    this.#limits = limits;
  }

  get failedLogins(): number {
    return this.#failedLogins;
  }

  addBadCommand(): void {
    this.#badCommands += 1;
  }

  addFailedLogin(): void {
    this.#failedLogins += 1;
  }

  /** A user may make mistakes again, and more of them. */
  logIn(): void {
    this.#badCommands = 0;
    this.#hasLoggedIn = true;
  }

  /** @returns null while there is patience left */
  get excess(): Excess | null {
    const { maxBadCommandsBeforeLogin, maxBadCommandsAfterLogin, maxFailedLogins } = this.#limits;
    const maxBad = this.#hasLoggedIn ? maxBadCommandsAfterLogin : maxBadCommandsBeforeLogin;
    if (this.#badCommands > maxBad) return 'too-many-bad-commands';
    return this.#failedLogins >= maxFailedLogins ? 'too-many-failed-logins' : null;
  }
}
