// When each user logged in last, in a SQLite file of its own: passdb-database(5), Last logins.
// Written behind the session and never waited for; losing it costs nothing else.

import { closeSync, existsSync, openSync } from 'node:fs';
import type { LoginName } from '../accounts/login-name.js';
import { ConfigurationError } from '../../system/failures/failures.js';
import { openSqlite } from '../../system/sqlite/open-sqlite.js';
import {
  inTransaction,
  type SqliteDatabase,
  type SqliteStatement,
} from '../../system/sqlite/sqlite.js';

export interface LastLogin {
  /** As the maildrop's. */
  readonly user: string;
  readonly domain: string;
  /** `pop3` or `pop3s`. */
  readonly service: string;
  /** UTC, `2026-11-29T10:36:33Z`. */
  readonly at: string;
  readonly peer: string | null;
  readonly mechanism: string;
  /** The version; null in the clear. */
  readonly tls: string | null;
  /** Of the password, where the source has labels. */
  readonly label: string | null;
}

const schema = `
  CREATE TABLE IF NOT EXISTS last_login (
    username TEXT NOT NULL,
    domain TEXT NOT NULL,
    service TEXT NOT NULL,
    at TEXT NOT NULL,
    peer TEXT,
    mechanism TEXT NOT NULL,
    tls TEXT,
    label TEXT,
    PRIMARY KEY (username, domain, service)
  ) WITHOUT ROWID;
`;

const upsert = `
  INSERT INTO last_login (username, domain, service, at, peer, mechanism, tls, label)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (username, domain, service) DO UPDATE SET
    at = excluded.at, peer = excluded.peer, mechanism = excluded.mechanism,
    tls = excluded.tls, label = excluded.label
`;

/** The owner and a group that may read it. */
const fileMode = 0o640;

/** Another process writes: after so long it is tried again, and for so often. */
const retryMs = 100;
const mostTries = 20;
/** More are not kept while nothing can be written. */
const mostWaiting = 10_000;

export interface LastLoginsOptions {
  readonly file: string;
  /** Called once for each thing that goes wrong, not for each login. */
  readonly onWarning: (why: string) => void;
}

export class LastLogins {
  readonly #options: LastLoginsOptions;
  /** By user and service: only the last one is of interest. */
  readonly #waiting = new Map<string, LastLogin>();
  #database: SqliteDatabase | undefined;
  #statement: SqliteStatement | undefined;
  #timer: NodeJS.Timeout | undefined;
  #tries = 0;
  #told = '';

  constructor(options: LastLoginsOptions) {
    this.#options = options;
  }

  /** Never throws. Is written soon, with others of the same moment. */
  note(login: LastLogin): void {
    if (this.#waiting.size >= mostWaiting) return;
    this.#waiting.set(`${login.service} ${login.user}@${login.domain}`, login);
    this.#timer ??= setTimeout(() => this.#write(), 0);
  }

  /** Writes at once what waits, if nobody else is writing; what is not written then is lost. */
  writeAndClose(): void {
    clearTimeout(this.#timer);
    if (this.#waiting.size > 0) this.#write();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting.clear();
    this.#close();
  }

  #write(): void {
    this.#timer = undefined;
    try {
      const statement = this.#open();
      const database = this.#database;
      if (database === undefined) return;
      inTransaction(database, () => {
        for (const login of this.#waiting.values()) statement.run(valuesOf(login));
      });
      this.#waiting.clear();
      this.#tries = 0;
      this.#told = '';
    } catch (error) {
      this.#fail(error as Error & { readonly code?: string });
    }
  }

  #fail(error: Error & { readonly code?: string }): void {
    const isBusy = error.code?.startsWith('SQLITE_BUSY') === true;
    this.#tries += 1;
    if (isBusy && this.#tries < mostTries) {
      this.#timer ??= setTimeout(() => this.#write(), retryMs * (0.5 + Math.random()));
      return;
    }
    this.#tries = 0;
    this.#waiting.clear();
    this.#close();
    const why = `option --last-login: ${this.#options.file}: ${error.message}`;
    if (why !== this.#told) this.#options.onWarning(why);
    this.#told = why;
  }

  #open(): SqliteStatement {
    if (this.#statement !== undefined && existsSync(this.#options.file)) return this.#statement;
    this.#close();
    const { file } = this.#options;
    closeSync(openSync(file, 'a', fileMode));
    const database = openSqlite(file, { access: 'write', busyTimeoutMs: 0 });
    this.#database = database;
    // It is worth no wait for a disk.
    database.exec(`PRAGMA synchronous = OFF; ${schema}`);
    this.#statement = database.prepare(upsert);
    return this.#statement;
  }

  #close(): void {
    this.#statement = undefined;
    try {
      this.#database?.close();
    } catch {
      // It is thrown away.
    }
    this.#database = undefined;
  }
}

function valuesOf(login: LastLogin): readonly (string | null)[] {
  const { user, domain, service, at, peer, mechanism, tls, label } = login;
  return [user, domain, service, at, peer, mechanism, tls, label];
}

/**
 * The last logins of one user, one for each service.
 *
 * @throws ConfigurationError for a file that is not there or is no such database
 */
export function readLastLogins(file: string, { user, domain }: LoginName): readonly LastLogin[] {
  let database: SqliteDatabase | undefined;
  try {
    database = openSqlite(file, { access: 'read', busyTimeoutMs: 2000 });
    const rows = database
      .prepare(
        'SELECT service, at, peer, mechanism, tls, label FROM last_login WHERE username = ? AND domain = ? ORDER BY at',
      )
      .rows([user, domain]);
    const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
    return [...rows].map(([service, when, peer, mechanism, tls, label]) => ({
      ...{ user, domain, peer: text(peer), tls: text(tls), label: text(label) },
      service: text(service) ?? '',
      at: text(when) ?? '',
      mechanism: text(mechanism) ?? '',
    }));
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    throw new ConfigurationError(`option --last-login: ${file}: ${(error as Error).message}`);
  } finally {
    database?.close();
  }
}
