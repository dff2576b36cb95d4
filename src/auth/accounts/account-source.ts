// Where accounts come from: the interface between what verifies passwords and what stores them. A
// source gives rows as they are stored, and knows nothing of schemes and verdicts.

import type { Grant } from './grant.js';
import type { LoginClient } from './login-client.js';
import type { LoginName } from './login-name.js';

/** One stored password of an account, and what it allows. */
export interface AccountRow extends Grant {
  /** As stored, with its scheme. */
  readonly password: string;
  readonly isActive: boolean;
  /**
   * Addresses and prefixes with blanks between, as stored: the password is for clients in them
   * only. Null: for all.
   */
  readonly networks: string | null;
}

/** More passwords of one account are a fault: each of them may cost a hash. */
export const maxRows = 16;

/**
 * Nothing could be read. The message says where and why; `isLasting`: only a change of
 * configuration mends it.
 */
export class SourceUnavailable extends Error {
  readonly isLasting: boolean;

  constructor(message: string, isLasting: boolean) {
    super(message);
    this.isLasting = isLasting;
  }
}

/** A row that cannot be understood: only its account is affected. */
export class UnusableRow extends SourceUnavailable {
  constructor(message: string) {
    super(message, true);
  }
}

/** The methods throw SourceUnavailable, and none blocks the event loop. */
export interface AccountSource {
  /**
   * The passwords of an account, none when there is no such account. One more than `maxRows` where
   * there are more.
   *
   * @param client for the parameters of a query of the administrator's
   */
  find(name: LoginName, client: LoginClient): Promise<readonly AccountRow[]>;

  /**
   * Picks one stored password out of all, so that made-up accounts can look like those that exist.
   * The same position gives the same row as long as that row and its neighbours stay, and evenly
   * spread positions give each row as often.
   *
   * @param position 0 to 2^62
   * @param accepts tells which stored passwords may be picked
   * @returns null when none may
   */
  pick(position: bigint, accepts: (stored: string) => boolean): Promise<string | null>;

  /**
   * At least 16 octets that peers do not know, for made-up accounts; null where the source keeps
   * none.
   */
  decoySecret(): Promise<Buffer | null>;

  /** The least `days` that a row may have, 1 or more; null where none has any. */
  leastDays(): Promise<number | null>;

  close(): void;
}
