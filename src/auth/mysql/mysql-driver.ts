// MySQL and MariaDB by the package mysql2: its connections, options and errors as the pool of
// servers wants them. Prepared statements.

import type mysql from 'mysql2';
import { ConfigurationError } from '../../system/failures/failures.js';
import { SourceUnavailable } from '../accounts/account-source.js';
import { requireDriver } from '../sql-servers/driver-packages.js';
import { tryFindPassword } from '../sql-servers/password-file.js';
import type { ServerAddress, ServerHost } from '../sql-servers/server-address.js';
import {
  noConnectionWithin,
  SqlFailure,
  type DriverSettings,
  type SqlConnection,
  type SqlDriver,
  type SqlOrigin,
  type SqlQuery,
  type SqlResult,
  type SqlValue,
} from '../sql-servers/sql-driver.js';
import { within } from '../sql-servers/server-pool.js';
import { readTlsFiles } from '../sql-servers/tls-files.js';

export class MysqlDriver implements SqlDriver {
  readonly #address: ServerAddress;
  readonly #settings: DriverSettings;
  /** Loaded at the first connection. */
  #mysql: typeof mysql | undefined;

  constructor(address: ServerAddress, settings: DriverSettings) {
    this.#address = address;
    this.#settings = settings;
  }

  async connect(host: ServerHost, withinMs: number): Promise<SqlConnection> {
    if (this.#mysql === undefined) {
      requireDriver('mysql2');
      this.#mysql = (await import('mysql2')).default;
    }
    const { user, database, parameters } = this.#address;
    const ssl = host.host.startsWith('/') ? undefined : await tlsOptions(parameters);
    // There are users without one; the server says whether this is one of them.
    const password = await tryFindPassword(this.#address, host).catch((error: unknown) => {
      throw failureOf(error);
    });
    const raw = this.#mysql.createConnection({
      ...(host.host.startsWith('/')
        ? { socketPath: host.host }
        : { host: host.host, port: host.port }),
      user,
      database,
      ...(password === null ? {} : { password }),
      ...(ssl === undefined ? {} : { ssl }),
      charset: 'utf8mb4_bin',
      connectTimeout: Math.max(1, Math.ceil(withinMs)),
      dateStrings: true,
      supportBigNumbers: true,
      bigNumberStrings: true,
    });
    const connection = new MysqlConnection(raw, host);
    try {
      await within(withinMs, connection.prepare(this.#settings), () =>
        noConnectionWithin(withinMs),
      );
      return connection;
    } catch (error) {
      connection.destroy();
      throw failureOf(error, 'connecting');
    }
  }

  async sample(
    connection: SqlConnection,
    { table, column }: SqlOrigin,
    limit: number,
  ): Promise<readonly unknown[]> {
    const text = `SELECT ${String(column)} FROM ${String(table)} LIMIT ${limit}`;
    const { rows } = await connection.query({ name: 'sample', text }, []);
    return rows.map(([value]) => value);
  }

  async hasTable(connection: SqlConnection, name: string): Promise<boolean> {
    const text =
      'SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?';
    const { rows } = await connection.query({ name: 'table', text }, [name]);
    return rows.length > 0;
  }
}

class MysqlConnection implements SqlConnection {
  readonly host: ServerHost;
  readonly #connection: mysql.Connection;
  #isUsable = true;

  constructor(connection: mysql.Connection, host: ServerHost) {
    this.host = host;
    this.#connection = connection;
    const lose = (): void => {
      this.#isUsable = false;
    };
    connection.on('error', lose).on('end', lose);
  }

  get #stream(): ReferencedStream {
    return (this.#connection as unknown as { readonly stream: ReferencedStream }).stream;
  }

  get isUsable(): boolean {
    return this.#isUsable;
  }

  async prepare({ statementMs, access }: DriverSettings): Promise<void> {
    const promised = this.#connection.promise();
    const [rows] = await promised.query<mysql.RowDataPacket[]>('SELECT VERSION() AS version');
    const isMariaDb = /mariadb/i.test(String(rows[0]?.['version']));
    await promised.query(
      isMariaDb
        ? `SET SESSION max_statement_time = ${statementMs / 1000}`
        : `SET SESSION max_execution_time = ${statementMs}`,
    );
    if (access === 'read') await promised.query('SET SESSION TRANSACTION READ ONLY');
  }

  async query({ text }: SqlQuery, values: readonly SqlValue[]): Promise<SqlResult> {
    // A connection that nobody uses keeps no process alive.
    this.#stream.ref();
    try {
      return resultOf(
        await this.#connection
          .promise()
          .execute<mysql.RowDataPacket[][] | mysql.ResultSetHeader>(
            { sql: text, rowsAsArray: true },
            [...values],
          ),
      );
    } catch (error) {
      throw failureOf(error);
    } finally {
      this.#stream.unref();
    }
  }

  async command(text: string): Promise<void> {
    this.#stream.ref();
    try {
      await this.#connection.promise().query(text);
    } catch (error) {
      throw failureOf(error);
    } finally {
      this.#stream.unref();
    }
  }

  close(): void {
    this.#isUsable = false;
    this.#connection.end(() => undefined);
  }

  destroy(): void {
    this.#isUsable = false;
    this.#connection.destroy();
  }
}

/** A socket, as mysql2 holds it. */
interface ReferencedStream {
  ref(): void;
  unref(): void;
}

function resultOf([result, fields]: [
  mysql.RowDataPacket[][] | mysql.ResultSetHeader,
  mysql.FieldPacket[],
]): SqlResult {
  if (!Array.isArray(result)) return { columns: [], rows: [], changes: result.affectedRows };
  return {
    columns: fields.map(({ name, orgTable, orgName, schema, db }) => ({
      name,
      origin: orgTable === '' || orgName === '' ? null : originOf(schema ?? db, orgTable, orgName),
    })),
    rows: result,
    changes: 0,
  };
}

function originOf(schema: string | undefined, table: string, column: string): SqlOrigin {
  const quoted = (name: string): string => `\`${name.replaceAll('`', '``')}\``;
  const where = schema === undefined || schema === '' ? '' : `${quoted(schema)}.`;
  return { table: where + quoted(table), column: quoted(column) };
}

async function tlsOptions(
  parameters: ReadonlyMap<string, string>,
): Promise<mysql.SslOptions | undefined> {
  const mode = (parameters.get('ssl-mode') ?? 'DISABLED').toUpperCase();
  if (mode === 'DISABLED') return undefined;
  if (!['REQUIRED', 'VERIFY_CA', 'VERIFY_IDENTITY'].includes(mode)) {
    throw new ConfigurationError(
      `ssl-mode "${mode}" is not DISABLED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY`,
    );
  }
  const names = { ca: 'ssl-ca', cert: 'ssl-cert', key: 'ssl-key' };
  return {
    rejectUnauthorized: mode !== 'REQUIRED',
    verifyIdentity: mode === 'VERIFY_IDENTITY',
    ...(await readTlsFiles(parameters, names)),
  };
}

/**
 * SQLSTATE 42: the statement is wrong, or this user may not do it. 21, 22: its values are. 25006:
 * it writes.
 */
const statementStates = /^(?:21|22|42|25006)/;

function failureOf(error: unknown, during: 'connecting' | 'asking' = 'asking'): Error {
  if (error instanceof SqlFailure || error instanceof ConfigurationError) return error;
  if (error instanceof SourceUnavailable) {
    return new SqlFailure(error.message, { isOfHost: true, isLasting: error.isLasting });
  }
  const {
    message,
    code = '',
    sqlState = '',
  } = error as NodeJS.ErrnoException & {
    readonly sqlState?: string;
  };
  const isOfStatement = statementStates.test(sqlState);
  return new SqlFailure(message || code, {
    isOfHost: during === 'connecting' || !isOfStatement,
    isLasting: isOfStatement || sqlState.startsWith('28'),
  });
}
