// Edits the password database: each edit is one transaction, safe beside servers that read the
// file. Creates it in the shape that Dovecot's documentation shows, so that an IMAP server can
// share it. Synchronous: for passdb, not for servers.

import { randomBytes } from 'node:crypto';
import { closeSync, fchmodSync, openSync } from 'node:fs';
import type { LoginName } from '../accounts/login-name.js';
import { ConfigurationError, TemporaryError } from '../../system/failures/failures.js';
import { openSqlite, requireSqlite } from '../../system/sqlite/open-sqlite.js';
import {
  inTransaction,
  pragma,
  type SqliteDatabase,
  type SqliteParameters,
} from '../../system/sqlite/sqlite.js';
import { lookAtDatabaseFiles, NotADatabaseFile } from './database-files.js';
import { hasTable } from './statements.js';

export interface ListedUser extends LoginName {
  /** As stored. */
  readonly password: string;
  readonly isActive: boolean;
}

export interface AccountEditorOptions {
  readonly file: string;
  /** Makes the file, mode 0640, when there is none. */
  readonly isCreated?: boolean;
  /** How long a locked database is waited for; 5 s by default. */
  readonly busyTimeoutMs?: number;
}

/** Who may read the database: its owner and a group, which the servers are in. */
const fileMode = 0o640;
const schema = `
  CREATE TABLE IF NOT EXISTS users (
    username TEXT,
    domain TEXT,
    password TEXT NOT NULL,
    active CHAR(1) NOT NULL DEFAULT 'Y',
    PRIMARY KEY (username, domain)
  );
  CREATE TABLE IF NOT EXISTS scram_decoy (secret BLOB NOT NULL);
`;
const where = 'WHERE username = :user AND domain = :domain';

/**
 * Every method throws ConfigurationError (no such file, not a password database, no permission) or
 * TemporaryError (locked, disk full).
 */
export class AccountEditor {
  readonly #database: SqliteDatabase;
  readonly #file: string;

  constructor({ file, isCreated, busyTimeoutMs }: AccountEditorOptions) {
    this.#file = file;
    requireSqlite(); // Before a file is made.
    this.#database = this.#explained(() => {
      if (isCreated === true) createFile(file);
      const { path } = lookAtDatabaseFiles(file);
      return openSqlite(path, { access: 'write', busyTimeoutMs: busyTimeoutMs ?? 5000 });
    });
    this.#explained(() => {
      // What was deleted is overwritten: a removed user's hash does not stay in the file.
      this.#database.exec('PRAGMA secure_delete = ON');
      if (pragma(this.#database, 'user_version') !== 0) {
        throw new ConfigurationError(`${file} is not a passdb database: unknown user_version`);
      }
    });
  }

  has(name: LoginName): boolean {
    return this.#explained(
      () => hasTable(this.#database, 'users') && this.#find(name) !== undefined,
    );
  }

  /** @returns false when there is such a user already */
  add(name: LoginName, password: string): boolean {
    return this.#edit(
      'INSERT INTO users (username, domain, password) VALUES (:user, :domain, :password) ON CONFLICT DO NOTHING',
      { ...name, password },
    );
  }

  /** @returns false when there is no such user */
  setPassword(name: LoginName, password: string): boolean {
    return this.#edit(`UPDATE users SET password = :password ${where}`, { ...name, password });
  }

  /** @returns false when there is no such user */
  remove(name: LoginName): boolean {
    return this.#edit(`DELETE FROM users ${where}`, { ...name });
  }

  /** @returns false when there is no such user */
  enable(name: LoginName): boolean {
    return this.#edit(`UPDATE users SET active = 'Y' ${where}`, { ...name });
  }

  /** @returns false when there is no such user */
  disable(name: LoginName): boolean {
    return this.#edit(`UPDATE users SET active = 'N' ${where}`, { ...name });
  }

  /** All users, by domain and name. */
  list(): readonly ListedUser[] {
    return this.#explained(() => {
      // A database whose creator died before its first edit has none.
      if (!hasTable(this.#database, 'users')) return [];
      const rows = this.#database
        .prepare('SELECT username, domain, password, active FROM users ORDER BY domain, username')
        .rows();
      return Array.from(rows, ([user, domain, password, active]) => ({
        user: String(user),
        domain: String(domain),
        password: String(password),
        isActive: active === 'Y',
      }));
    });
  }

  close(): void {
    this.#database.close();
  }

  #edit(sql: string, parameters: SqliteParameters): boolean {
    return this.#explained(() =>
      inTransaction(this.#database, () => {
        this.#database.exec(schema);
        this.#database
          .prepare('INSERT INTO scram_decoy SELECT ? WHERE NOT EXISTS (SELECT 1 FROM scram_decoy)')
          .run([randomBytes(32)]);
        return this.#database.prepare(sql).run(parameters) > 0;
      }),
    );
  }

  #find(name: LoginName): unknown {
    return this.#database.prepare(`SELECT 1 FROM users ${where}`).first({ ...name });
  }

  #explained<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Error) || error instanceof ConfigurationError) throw error;
      throw explain(this.#file, error);
    }
  }
}

function createFile(file: string): void {
  try {
    const fd = openSync(file, 'wx', fileMode);
    fchmodSync(fd, fileMode); // Whatever the umask is: a server in the group must be able to read it.
    closeSync(fd);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function explain(file: string, error: Error): Error {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (error instanceof NotADatabaseFile) return new ConfigurationError(error.message);
  if (code.startsWith('SQLITE_BUSY'))
    return new TemporaryError(`${file} is locked by another program`);
  if (/^SQLITE_(?:FULL|IOERR|PROTOCOL)/.test(code) || code === 'ENOSPC') {
    return new TemporaryError(`${file}: ${error.message}`);
  }
  if (code === 'ENOENT') return new ConfigurationError(`${file}: no such password database`);
  return new ConfigurationError(`${file}: ${error.message}`);
}
