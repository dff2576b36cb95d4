// What the suite asks of SQLite, whichever engine it has. All of it is synchronous. Knows nothing
// of what is stored.

export type SqliteValue = string | number | bigint | Buffer | null;
export type SqliteRow = readonly SqliteValue[];

/** By position, or by name without the colon. Names that the statement lacks are ignored. */
export type SqliteParameters = readonly SqliteValue[] | Readonly<Record<string, SqliteValue>>;

/** Where a column of a result comes from; null for what is no column of a table. */
export interface SqliteColumn {
  readonly name: string;
  readonly table: string | null;
  readonly column: string | null;
}

/** Every method throws SqliteError, also for a parameter of the statement that is not given. */
export interface SqliteStatement {
  /** Whether it returns rows. */
  readonly isReader: boolean;
  columns(): readonly SqliteColumn[];
  first(parameters?: SqliteParameters): SqliteRow | undefined;
  /** Nothing else may be done with the statement until the loop over them has ended. */
  rows(parameters?: SqliteParameters): Iterable<SqliteRow>;
  /** @returns how many rows changed */
  run(parameters?: SqliteParameters): number;
}

export interface SqliteDatabase {
  /**
   * @param integers how a statement returns them; `bigint` for those beyond 2^53
   * @throws SqliteError
   */
  prepare(sql: string, integers?: 'number' | 'bigint'): SqliteStatement;
  /** Any number of statements, without rows. Throws SqliteError. */
  exec(sql: string): void;
  close(): void;
}

export interface SqliteOpening {
  /** A file that is not there is never made. */
  readonly access: 'read' | 'write';
  /** How long SQLite itself waits for a lock, holding up the process. */
  readonly busyTimeoutMs: number;
}

/** One of the libraries that have SQLite in them. */
export interface SqliteEngine {
  readonly name: 'better-sqlite3' | 'node:sqlite';
  /** @throws SqliteError */
  open(path: string, opening: SqliteOpening): SqliteDatabase;
}

/**
 * What SQLite says; `code` is the name of its extended result code, such as SQLITE_BUSY_SNAPSHOT,
 * and empty for what the statement was given wrongly.
 */
export class SqliteError extends Error {
  override readonly name = 'SqliteError';
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

/** The only value of a pragma that has one. */
export function pragma(database: SqliteDatabase, name: string): SqliteValue {
  return database.prepare(`PRAGMA ${name}`).first()?.[0] ?? null;
}

/** Does the work in one transaction that has the right to write from its beginning. */
export function inTransaction<T>(database: SqliteDatabase, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    try {
      database.exec('ROLLBACK');
    } catch {
      // SQLite rolled it back by itself, as it does when the disk is full.
    }
    throw error;
  }
}
