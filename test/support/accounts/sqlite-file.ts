// A SQLite file as another program has it open, with the engine that this process has: two engines in one process would
// let go of each other's locks.

import { closeSync, openSync } from 'node:fs';
import { openSqlite } from '../../../src/system/sqlite/open-sqlite.js';
import {
  inTransaction,
  type SqliteDatabase,
  type SqliteStatement,
  type SqliteValue,
} from '../../../src/system/sqlite/sqlite.js';

type NamedRow = Readonly<Record<string, SqliteValue>>;

export class SqliteFile {
  readonly #database: SqliteDatabase;

  /** Makes the file where there is none. */
  constructor(path: string) {
    closeSync(openSync(path, 'a'));
    this.#database = openSqlite(path, { access: 'write', busyTimeoutMs: 5000 });
  }

  exec(sql: string): this {
    this.#database.exec(sql);
    return this;
  }

  prepare(sql: string): PreparedStatement {
    return new PreparedStatement(this.#database.prepare(sql));
  }

  /** What the pragma returns, such as `journal_mode = WAL`. */
  pragma(text: string): readonly NamedRow[] {
    return this.prepare(`PRAGMA ${text}`).all();
  }

  inTransaction(work: () => void): void {
    inTransaction(this.#database, work);
  }

  close(): void {
    this.#database.close();
  }
}

class PreparedStatement {
  readonly #statement: SqliteStatement;

  constructor(statement: SqliteStatement) {
    this.#statement = statement;
  }

  run(...parameters: readonly SqliteValue[]): void {
    this.#statement.run(parameters);
  }

  runNamed(parameters: NamedRow): void {
    this.#statement.run(parameters);
  }

  all(...parameters: readonly SqliteValue[]): readonly NamedRow[] {
    if (!this.#statement.isReader) {
      this.#statement.run(parameters);
      return [];
    }
    const names = this.#statement.columns().map(({ name }) => name);
    return Array.from(
      this.#statement.rows(parameters),
      (row) => Object.fromEntries(row.map((value, at) => [names[at] ?? '', value])) as NamedRow,
    );
  }
}
