// SQLite as the package better-sqlite3 has it.

import { createRequire } from 'node:module';
import type BetterSqlite from 'better-sqlite3';
import {
  SqliteError,
  type SqliteColumn,
  type SqliteDatabase,
  type SqliteEngine,
  type SqliteParameters,
  type SqliteRow,
  type SqliteStatement,
} from './sqlite.js';

/**
 * @throws the module loader's error where the package, or its binary for this version of Node, is
 *   missing
 */
export function loadBetterEngine(): SqliteEngine {
  const load = createRequire(import.meta.url);
  const Database = load('better-sqlite3') as typeof BetterSqlite;
  // Only the first database loads the binary.
  new Database(':memory:').close();
  return {
    name: 'better-sqlite3',
    open: (path, { access, busyTimeoutMs }) =>
      explained(() => {
        const readonly = access === 'read';
        return new BetterDatabase(
          new Database(path, { readonly, fileMustExist: true, timeout: busyTimeoutMs }),
        );
      }),
  };
}

class BetterDatabase implements SqliteDatabase {
  readonly #database: BetterSqlite.Database;

  constructor(database: BetterSqlite.Database) {
    this.#database = database;
  }

  prepare(sql: string, integers: 'number' | 'bigint' = 'number'): SqliteStatement {
    return explained(() => {
      const statement = this.#database.prepare(sql);
      if (statement.reader) statement.raw().safeIntegers(integers === 'bigint');
      return new BetterStatement(statement);
    });
  }

  exec(sql: string): void {
    explained(() => this.#database.exec(sql));
  }

  close(): void {
    this.#database.close();
  }
}

class BetterStatement implements SqliteStatement {
  readonly #statement: BetterSqlite.Statement;

  constructor(statement: BetterSqlite.Statement) {
    this.#statement = statement;
  }

  get isReader(): boolean {
    return this.#statement.reader;
  }

  columns(): readonly SqliteColumn[] {
    return this.isReader ? this.#statement.columns() : [];
  }

  first(parameters: SqliteParameters = []): SqliteRow | undefined {
    return explained(() => this.#statement.get(parameters) as SqliteRow | undefined);
  }

  *rows(parameters: SqliteParameters = []): Generator<SqliteRow, void> {
    try {
      yield* this.#statement.iterate(parameters) as Iterable<SqliteRow>;
    } catch (error) {
      throw asSqliteError(error);
    }
  }

  run(parameters: SqliteParameters = []): number {
    return explained(() => this.#statement.run(parameters).changes);
  }
}

function explained<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asSqliteError(error);
  }
}

function asSqliteError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code = '' } = error as NodeJS.ErrnoException;
  return new SqliteError(error.message, code.startsWith('SQLITE_') ? code : '');
}
