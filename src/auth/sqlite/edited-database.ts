// A SQLite file that passdb edits: opened, made where there is none, checked to be passdb's, and
// what goes wrong told as passdb tells it. Each edit is one transaction, safe beside servers that
// read the file. Synchronous: for passdb, not for servers.

import { randomBytes } from 'node:crypto';
import { closeSync, fchmodSync, openSync } from 'node:fs';
import { ConfigurationError, TemporaryError } from '../../system/failures/failures.js';
import { openSqlite, requireSqlite } from '../../system/sqlite/open-sqlite.js';
import { inTransaction, pragma, type SqliteDatabase } from '../../system/sqlite/sqlite.js';
import { lookAtDatabaseFiles, NotADatabaseFile, whatIsNoDatabase } from './database-files.js';
import { ownSchema } from './own-schema.js';
import { systemWords } from '../../system/failures/system-words.js';

export interface EditedDatabaseOptions {
  readonly file: string;
  /** Makes the file, mode 0640, when there is none. */
  readonly isCreated?: boolean;
  /** How long a locked database is waited for; 5 s by default. */
  readonly busyTimeoutMs?: number;
}

/** Who may read the database: its owner and a group, which the servers are in. */
const fileMode = 0o640;

/**
 * Every method throws ConfigurationError (no such file, not a password database, no permission) or
 * TemporaryError (locked, disk full).
 */
export class EditedDatabase {
  readonly #database: SqliteDatabase;
  readonly #file: string;

  constructor({ file, isCreated, busyTimeoutMs }: EditedDatabaseOptions) {
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
      // Servers may read until the edit is committed, however large it is.
      this.#database.exec('PRAGMA cache_spill = OFF');
      requireOwn(this.#database, file);
    });
  }

  read<T>(work: (database: SqliteDatabase) => T): T {
    return this.#explained(() => work(this.#database));
  }

  /** Does the work in one transaction, over tables that are all there. What it throws undoes it. */
  edit<T>(work: (database: SqliteDatabase) => T): T {
    return this.#explained(() =>
      inTransaction(this.#database, () => {
        this.#database.exec(ownSchema);
        this.#database
          .prepare('INSERT INTO scram_decoy SELECT ? WHERE NOT EXISTS (SELECT 1 FROM scram_decoy)')
          .run([randomBytes(32)]);
        return work(this.#database);
      }),
    );
  }

  close(): void {
    this.#database.close();
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

/** A database without any table is one whose maker died before its first edit. */
function requireOwn(database: SqliteDatabase, file: string): void {
  const refuse = (why: string): never => {
    throw new ConfigurationError(
      `${file} is no passdb database: ${why}; pop3d reads databases of other shapes with --passdb-query, and passdb edits none`,
    );
  };
  if (pragma(database, 'user_version') !== 0) refuse('unknown user_version');
  const tables = database.prepare(
    "SELECT lower(name) FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite!_%' ESCAPE '!'",
  );
  const names = Array.from(tables.rows(), ([name]) => name);
  if (names.length === 0) return;
  if (!names.includes('users')) refuse('it has no table users');
  const columns = database.prepare("SELECT lower(name) FROM pragma_table_info('users')");
  const found = Array.from(columns.rows(), ([name]) => name);
  for (const column of ['username', 'domain', 'password', 'active']) {
    if (!found.includes(column)) refuse(`its table users has no column ${column}`);
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
  if (code === 'SQLITE_NOTADB') return new ConfigurationError(whatIsNoDatabase(file));
  if (code.startsWith('SQLITE_BUSY'))
    return new TemporaryError(`${file} is locked by another program`);
  if (/^SQLITE_(?:FULL|IOERR|PROTOCOL)/.test(code) || code === 'ENOSPC') {
    return new TemporaryError(`${file}: ${systemWords(error)}`);
  }
  if (code === 'ENOENT') return new ConfigurationError(`${file}: no such password database`);
  return new ConfigurationError(`${file}: ${systemWords(error)}`);
}
