// Who may log in: the interface between the POP3 session and whatever verifies passwords.
// Knows nothing of SQL, POP3 replies or mail.

import type { Grant } from './grant.js';
import type { LoginClient } from './login-client.js';

/**
 * A user who proved to be one. Both names are lower-case (ASCII letters only), as the account
 * source has them.
 */
export interface Identity {
  readonly user: string;
  readonly domain: string;
}

/**
 * Nothing was decided. `isLasting`: trying again will not help, as with a scheme that is not
 * supported.
 */
export interface Unavailable {
  readonly isLasting: boolean;
  /** For the log. */
  readonly reason: string;
  /**
   * Counts as a failed login: a password was compared, or the answer is about this account only,
   * which shows that it exists.
   */
  readonly isCounted?: boolean | undefined;
}

/** Who logged in, and what the password that was right allows. */
export interface Accepted {
  readonly identity: Identity;
  readonly grant: Grant;
}

export type Verdict =
  | ({ readonly verdict: 'accepted' } & Accepted)
  /**
   * Wrong password, unknown user, disabled user, a password that is not for this client: the client
   * must not learn which. `reason` is for the log.
   */
  | { readonly verdict: 'rejected'; readonly reason: string }
  | ({ readonly verdict: 'unavailable' } & Unavailable);

/** What a SCRAM-SHA-256 exchange needs of an account (RFC 5802 §3). */
export interface ScramCredentials {
  readonly salt: Buffer;
  readonly iterations: number;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** One of the passwords that a lookup found. */
export interface FoundPassword {
  readonly grant: Grant;
  /** Why this client may not use it, for the log; null when it may. */
  readonly refusal: string | null;
}

export interface ScramPassword extends FoundPassword {
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

export type ScramLookup =
  | {
      readonly found: 'credentials';
      readonly identity: Identity;
      readonly credentials: ScramCredentials;
      /** Any of them may be right; all were made with that salt and so many iterations. */
      readonly passwords: readonly ScramPassword[];
      /** For the log, where none is right. */
      readonly mismatch: string;
    }
  /**
   * No such account, or one that cannot use SCRAM. The credentials are the same each time, and no
   * password is accepted.
   */
  | {
      readonly found: 'decoy';
      /** This source does not have the name; another may. */
      readonly isUnknown?: true;
      readonly reason: string;
      readonly credentials: ScramCredentials;
    }
  | ({ readonly found: 'unavailable' } & Unavailable);

export interface PlainPassword extends FoundPassword {
  readonly password: Buffer;
}

export type PlainLookup =
  | {
      readonly found: 'passwords';
      readonly identity: Identity;
      /** Any of them may be right. */
      readonly passwords: readonly PlainPassword[];
      /** For the log, where none is right. */
      readonly mismatch: string;
    }
  | {
      readonly found: 'nothing';
      /** This source does not have the name; another may. */
      readonly isUnknown?: true;
      readonly reason: string;
    }
  | ({ readonly found: 'unavailable' } & Unavailable);

export interface Authenticator {
  /**
   * Verifies a password. Takes the same time for unknown users as for wrong passwords, and never
   * blocks the event loop.
   *
   * @param name the login name as the client sent it, bytes; `user@domain`, or `user` with a
   *   default domain configured
   * @param password bytes, any; over 512 octets is rejected unhashed
   * @param client all clients without one count as one network
   * @returns never rejects: what goes wrong is a verdict
   */
  verifyPassword(name: Buffer, password: Buffer, client?: LoginClient): Promise<Verdict>;

  /** Credentials for SCRAM-SHA-256, from `{SCRAM-SHA-256}` or `{PLAIN}` rows. */
  lookUpScram(name: Buffer, client?: LoginClient): Promise<ScramLookup>;

  /** The passwords themselves, for APOP; only `{PLAIN}` rows have one. */
  lookUpPlain(name: Buffer, client?: LoginClient): Promise<PlainLookup>;

  /** Whether any account can use SCRAM at all: whether to announce it. */
  offersScram(): Promise<boolean>;

  /** The least `days` that anybody's grant may have, for CAPA; null where none has any. */
  leastDays(): Promise<number | null>;

  close(): void;
}
