// Programs that say whether a password is right, and show no stored form of it: Dovecot's auth
// service, checkpassword.

import type { Verdict } from '../accounts/authenticator.js';
import type { LoginClient } from '../accounts/login-client.js';
import type { LoginName } from '../accounts/login-name.js';

export interface PasswordQuestion {
  readonly login: LoginName;
  /** What to ask with: `user@domain`, or the name alone when the client sent no domain. */
  readonly name: string;
  /** Without a NUL; at most 512 octets. */
  readonly password: Buffer;
  readonly client: LoginClient;
  /** How long the answer may take. */
  readonly withinMs: number;
}

export interface PasswordAuthority {
  /**
   * Asks for every name, whether or not there is such a user: the authority's own time is what a
   * client sees.
   *
   * @returns never `accepted` for a user without a domain
   * @throws SourceUnavailable, also when there is no answer in time
   */
  ask(question: PasswordQuestion): Promise<Verdict>;
  close(): void;
}
