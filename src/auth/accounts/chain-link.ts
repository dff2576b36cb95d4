// What an authenticator gives beside its verdicts, so that several can be asked in order.

import type { Authenticator, Verdict } from './authenticator.js';
import type { LoginClient } from './login-client.js';

export interface Attempt {
  readonly verdict: Verdict;
  /** The name may be another source's: this one does not have it, or cannot tell. */
  readonly isUnknown: boolean;
  /**
   * The work that makes a rejection of an unknown name take as long as one of a wrong password.
   * Wanted only when nobody else accepts the password.
   */
  readonly hide: () => Promise<void>;
}

export interface ChainLink extends Authenticator {
  /** Whether users of this source could ever use SCRAM. */
  readonly canOfferScram: boolean;
  /** As `verifyPassword`, but for what `hide` does. */
  tryPassword(name: Buffer, password: Buffer, client?: LoginClient): Promise<Attempt>;
}
