// Where accounts come from: the interface between what verifies passwords and what stores them. A
// source gives rows as they are stored, and knows nothing of schemes and verdicts.

import type { LoginName } from './login-name.js';

/** One stored password of an account. */
export interface AccountRow {
  /** As stored, with its scheme. */
  readonly password: string;
  readonly isActive: boolean;
}

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

/** The methods throw SourceUnavailable, and none blocks the event loop. */
export interface AccountSource {
  /**
   * The rows of an account, none when there is no such account. At least two are returned where
   * there are more.
   */
  find(name: LoginName): Promise<readonly AccountRow[]>;

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

  close(): void;
}
