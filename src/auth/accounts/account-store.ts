// What passdb edits: the users and application passwords of a database, wherever that is.
// passdb-database(5).

import type { LoginName } from './login-name.js';

/** SQLite answers at once, a server later. */
export type Answer<T> = T | Promise<T>;

export interface ListedUser extends LoginName {
  /** As stored. */
  readonly password: string;
  readonly isActive: boolean;
}

/**
 * Each edit is one transaction. The methods throw ConfigurationError (no such database, not
 * passdb's, no permission) or TemporaryError (locked, away).
 */
export interface AccountStore {
  has(name: LoginName): Answer<boolean>;
  /** @returns as stored; null when there is no such user */
  passwordOf(name: LoginName): Answer<string | null>;
  /** @returns false when there is such a user already */
  add(name: LoginName, password: string): Answer<boolean>;
  /**
   * Adds all users, or none.
   *
   * @param existing `replace`: a user who is there gets the new password and state
   * @returns indexes of users that are there already; where there are any, none was added
   */
  addAll(users: readonly ListedUser[], existing: 'refuse' | 'replace'): Answer<readonly number[]>;
  /** @returns false when there is no such user */
  setPassword(name: LoginName, password: string): Answer<boolean>;
  /** Application passwords go with the user. @returns false when there is no such user */
  remove(name: LoginName): Answer<boolean>;
  /** @returns false when there is no such user */
  enable(name: LoginName): Answer<boolean>;
  /** @returns false when there is no such user */
  disable(name: LoginName): Answer<boolean>;
  /** All users, by domain and name. */
  list(): Answer<readonly ListedUser[]>;
  close(): void;
}

export interface NewAppPassword {
  readonly label: string;
  /** As stored. */
  readonly password: string;
  /** As stored: addresses and prefixes with blanks between; null: from everywhere. */
  readonly networks: string | null;
  readonly isReadOnly: boolean;
  /** Null: all mail is seen. */
  readonly days: number | null;
  readonly expiresAt: Date | null;
}

export interface AppPassword extends NewAppPassword, LoginName {
  readonly createdAt: Date;
}

/** Throws as AccountStore. */
export interface AppPasswordStore {
  /**
   * @returns false when the user has a password of this label
   * @throws ConfigurationError also for more passwords than one user may have
   */
  add(name: LoginName, password: NewAppPassword): Answer<boolean>;
  /** @returns false when there is none of this label */
  remove(name: LoginName, label: string): Answer<boolean>;
  /** Of one user, or of all, by domain, user and time. */
  list(only: LoginName | null): Answer<readonly AppPassword[]>;
  close(): void;
}
