// What is asked of a SQLite database: of one that passdb made, or of another shape with a query of
// the administrator's.

import { SourceUnavailable, type AccountRow } from '../accounts/account-source.js';
import { rowReader } from '../accounts/row-columns.js';
import {
  pragma,
  type SqliteDatabase,
  type SqliteStatement,
  type SqliteValue,
} from '../../system/sqlite/sqlite.js';
import { passwordsQuery, usersQuery } from './own-schema.js';

export interface Statements {
  readonly byName: SqliteStatement;
  /** Makes an account's row of one of `byName`. */
  readonly readRow: (values: readonly unknown[]) => SqliteRowOfAccount | null;
  /**
   * Gives the least `days` that a row has; `unknown` where rows may have any, null where they have
   * none.
   */
  readonly leastDays: SqliteStatement | 'unknown' | null;
  /** Of passdb's own table, without application passwords: these may be added at any time. */
  readonly schemaVersion: SqliteValue;
  /** One after the other: users' own passwords, and application passwords where there are any. */
  readonly numbered: readonly NumberedPasswords[];
  readonly secret: SqliteStatement | null;
  /**
   * Whether what `byName` gives depends on nothing but the file: a view or another query may ask
   * what time it is.
   */
  readonly isOwnTable: boolean;
}

/** The passwords of a table, by the numbers of their rows, which are bigint. */
export interface NumberedPasswords {
  /** Smallest and largest number. */
  readonly range: SqliteStatement;
  /** Number, password, time of expiry or null, of up to `sliceRows` rows between two numbers. */
  readonly slice: SqliteStatement;
}

/** About a millisecond's work. */
export const sliceRows = 256;

/** With the time when it expires, in seconds since 1970; null: never. */
export type SqliteRowOfAccount = AccountRow & { readonly expiresAt: number | null };

/** @throws SourceUnavailable for a database or a query that cannot be used; SQLite's errors */
export function prepareStatements(
  database: SqliteDatabase,
  file: string,
  query: string | undefined,
): Statements {
  database.exec('PRAGMA trusted_schema = OFF');
  if (query === undefined && pragma(database, 'user_version') !== 0) {
    throw new SourceUnavailable(
      `${file} has a user_version that is not passdb's; --passdb-query reads databases of another shape`,
      true,
    );
  }
  const hasApps = query === undefined && hasTable(database, 'app_passwords');
  const byName = database.prepare(query ?? (hasApps ? passwordsQuery : usersQuery));
  if (!byName.isReader) throw new SourceUnavailable('the passdb query returns no rows', true);
  const columns = byName.columns();
  const [origin] = columns;
  const names = columns.map(({ name }) => name);
  const readRow = rowReader(names);
  return {
    byName,
    readRow: query === undefined ? ownRowReader(readRow) : foreignRowReader(readRow),
    leastDays: hasApps
      ? database.prepare('SELECT min(days) FROM app_passwords')
      : names.some((name) => name.toLowerCase() === 'days')
        ? 'unknown'
        : null,
    schemaVersion: query === undefined && !hasApps ? pragma(database, 'schema_version') : null,
    numbered: [
      ...numberPasswords(database, origin),
      ...(hasApps ? numberPasswords(database, appPasswords, 'expires') : []),
    ],
    secret: hasTable(database, 'scram_decoy')
      ? database.prepare('SELECT secret FROM scram_decoy')
      : null,
    isOwnTable: query === undefined && origin?.table?.toLowerCase() === 'users',
  };
}

const appPasswords = { table: 'app_passwords', column: 'password' };

type RowReader = (values: readonly unknown[]) => AccountRow | null;

function ownRowReader(readRow: RowReader): Statements['readRow'] {
  return (values) => {
    const row = readRow(values);
    const [, active, , , , , expires] = values;
    const expiresAt = typeof expires === 'number' ? expires : null;
    return row === null ? null : { ...row, isActive: active === 'Y', expiresAt };
  };
}

function foreignRowReader(readRow: RowReader): Statements['readRow'] {
  return (values) => {
    const row = readRow(values);
    return row === null ? null : { ...row, expiresAt: null };
  };
}

/** Names of tables are the same in capitals and small letters (ASCII). */
export function hasTable(database: SqliteDatabase, name: string): boolean {
  return (
    database
      .prepare(
        "SELECT 1 FROM sqlite_master WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE",
      )
      .first([name]) !== undefined
  );
}

/**
 * @param origin where the passwords come from; the names are the schema's own, none comes from a
 *   peer
 * @param expires the column that says until when a row counts, if there is one
 * @returns nothing where the passwords are no column of a table
 */
function numberPasswords(
  database: SqliteDatabase,
  origin: { readonly table: string | null; readonly column: string | null } | undefined,
  expires = 'NULL',
): readonly NumberedPasswords[] {
  const { table, column } = origin ?? {};
  if (typeof table !== 'string' || typeof column !== 'string') return [];
  const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
  const rows = hasRowNumbers(database, quoted(table))
    ? quoted(table)
    : // A table WITHOUT ROWID is numbered as it is read, as far as that is quick.
      `(SELECT row_number() OVER () AS rowid, * FROM (SELECT * FROM ${quoted(table)} LIMIT 4096))`;
  const range = `SELECT (SELECT min(rowid) FROM ${rows}), (SELECT max(rowid) FROM ${rows})`;
  const slice = `SELECT rowid, ${quoted(column)}, ${expires} FROM ${rows}
    WHERE rowid BETWEEN ? AND ? ORDER BY rowid LIMIT ${sliceRows}`;
  return [{ range: database.prepare(range, 'bigint'), slice: database.prepare(slice, 'bigint') }];
}

function hasRowNumbers(database: SqliteDatabase, table: string): boolean {
  try {
    database.prepare(`SELECT rowid FROM ${table}`);
    return true;
  } catch {
    return false;
  }
}
