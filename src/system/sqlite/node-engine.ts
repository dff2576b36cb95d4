// SQLite as Node 22.16 and later have it built in.

import { pathToFileURL } from 'node:url';
import {
  SqliteError,
  type SqliteColumn,
  type SqliteDatabase,
  type SqliteEngine,
  type SqliteParameters,
  type SqliteRow,
  type SqliteStatement,
  type SqliteValue,
} from './sqlite.js';
import { parametersIn } from './statement-parameters.js';
import { resultCodeName } from './result-codes.js';

/** What is used of `node:sqlite`, which the types of Node 20 do not have. */
interface StatementSync {
  get(...parameters: readonly unknown[]): unknown;
  iterate(...parameters: readonly unknown[]): Iterable<unknown>;
  run(...parameters: readonly unknown[]): { readonly changes: number | bigint };
  columns(): readonly SqliteColumn[];
  setReturnArrays(isOn: boolean): void;
  setReadBigInts(isOn: boolean): void;
  setAllowUnknownNamedParameters(isOn: boolean): void;
}
interface DatabaseSync {
  prepare(sql: string): StatementSync;
  exec(sql: string): void;
  close(): void;
}
interface NodeSqlite {
  readonly DatabaseSync: new (
    path: URL,
    options: { readonly readOnly: boolean; readonly timeout: number },
  ) => DatabaseSync;
  readonly StatementSync: { readonly prototype: Partial<StatementSync> };
}

/** @returns null where Node has none, or one that lacks what is needed */
export function tryNodeEngine(): SqliteEngine | null {
  const sqlite = loadQuietly();
  if (sqlite?.StatementSync.prototype.setReturnArrays === undefined) return null;
  return {
    name: 'node:sqlite',
    open: (path, { access, busyTimeoutMs }) =>
      explained(() => {
        const url = pathToFileURL(path);
        url.searchParams.set('mode', access === 'read' ? 'ro' : 'rw');
        const options = { readOnly: access === 'read', timeout: busyTimeoutMs };
        return new NodeDatabase(new sqlite.DatabaseSync(url, options));
      }),
  };
}

/** Node 22 and 24 warn on stderr, which may be the client's connection, that it is experimental. */
function loadQuietly(): NodeSqlite | undefined {
  const { getBuiltinModule } = process as { getBuiltinModule?: (name: string) => unknown };
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => undefined;
  try {
    return getBuiltinModule?.('node:sqlite') as NodeSqlite | undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}

class NodeDatabase implements SqliteDatabase {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  prepare(sql: string, integers: 'number' | 'bigint' = 'number'): SqliteStatement {
    return explained(() => {
      const statement = this.#database.prepare(sql);
      statement.setReturnArrays(true);
      statement.setReadBigInts(integers === 'bigint');
      statement.setAllowUnknownNamedParameters(true);
      return new NodeStatement(statement, sql);
    });
  }

  exec(sql: string): void {
    explained(() => this.#database.exec(sql));
  }

  close(): void {
    this.#database.close();
  }
}

class NodeStatement implements SqliteStatement {
  readonly #statement: StatementSync;
  readonly #parameters: readonly string[];

  constructor(statement: StatementSync, sql: string) {
    this.#statement = statement;
    this.#parameters = parametersIn(sql);
  }

  get isReader(): boolean {
    return this.#statement.columns().length > 0;
  }

  columns(): readonly SqliteColumn[] {
    return this.#statement.columns();
  }

  first(parameters: SqliteParameters = []): SqliteRow | undefined {
    return explained(() => {
      const row = this.#statement.get(...this.#bound(parameters));
      return row === undefined ? undefined : asRow(row);
    });
  }

  *rows(parameters: SqliteParameters = []): Generator<SqliteRow, void> {
    try {
      for (const row of this.#statement.iterate(...this.#bound(parameters))) yield asRow(row);
    } catch (error) {
      throw asSqliteError(error);
    }
  }

  run(parameters: SqliteParameters = []): number {
    return explained(() => Number(this.#statement.run(...this.#bound(parameters)).changes));
  }

  /** SQLite takes a parameter that is not given for NULL, and Node tells no names of them. */
  #bound(parameters: SqliteParameters): readonly unknown[] {
    const names = isPositional(parameters) ? [] : Object.keys(parameters);
    const missing = this.#parameters.find((name) => name !== '?' && !names.includes(name.slice(1)));
    if (missing !== undefined) throw new SqliteError(`parameter ${missing} is not given`, '');
    const count = this.#parameters.filter((name) => name === '?').length;
    if (!isPositional(parameters) && count === 0) return [parameters];
    const given = isPositional(parameters) ? parameters : [];
    if (given.length === count) return given;
    throw new SqliteError(`it has ${count} parameters, and ${given.length} were given`, '');
  }
}

function isPositional(parameters: SqliteParameters): parameters is readonly SqliteValue[] {
  return Array.isArray(parameters);
}

function asRow(row: unknown): SqliteRow {
  return (row as readonly (SqliteValue | Uint8Array)[]).map((value) =>
    value instanceof Uint8Array
      ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
      : value,
  );
}

function explained<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asSqliteError(error);
  }
}

function asSqliteError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof SqliteError) return error;
  const { errcode } = error as { readonly errcode?: unknown };
  return new SqliteError(error.message, typeof errcode === 'number' ? resultCodeName(errcode) : '');
}
