// PostgreSQL by the package pg: its connections, options and errors as the pool of servers wants
// them. Prepared statements; everything comes as text but bytea.

import type { Socket } from 'node:net';
import type pg from 'pg';
import { SourceUnavailable } from '../accounts/account-source.js';
import { requireDriver } from '../sql-servers/driver-packages.js';
import { findPassword } from '../sql-servers/password-file.js';
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
import { tlsAttempts, type TlsAttempt } from './postgresql-tls.js';

const byteaType = 17;

export class PostgresqlDriver implements SqlDriver {
  readonly #address: ServerAddress;
  readonly #settings: DriverSettings;
  /** What worked with a host the last time. */
  readonly #tls = new Map<ServerHost, TlsAttempt>();
  /** Loaded at the first connection. */
  #pg: typeof pg | undefined;

  constructor(address: ServerAddress, settings: DriverSettings) {
    this.#address = address;
    this.#settings = settings;
  }

  async connect(host: ServerHost, withinMs: number): Promise<SqlConnection> {
    if (this.#pg === undefined) {
      requireDriver('pg');
      this.#pg = (await import('pg')).default;
    }
    const untilMs = performance.now() + withinMs;
    const known = this.#tls.get(host);
    const attempts = known === undefined ? tlsAttempts(this.#address, host) : [known];
    for (const [index, attempt] of attempts.entries()) {
      try {
        const connection = await this.#open(this.#pg, host, attempt, untilMs - performance.now());
        this.#tls.set(host, attempt);
        return connection;
      } catch (error) {
        // The server may have been configured anew.
        this.#tls.delete(host);
        if (index === attempts.length - 1 || !isWithoutTls(error)) throw failureOf(error);
      }
    }
    throw new SqlFailure('no way to connect', { isOfHost: true, isLasting: true });
  }

  async #open(
    { Client }: typeof pg,
    host: ServerHost,
    attempt: TlsAttempt,
    withinMs: number,
  ): Promise<SqlConnection> {
    const { user, database, parameters } = this.#address;
    const client = new Client({
      host: host.host,
      port: host.port,
      user,
      database,
      // A function: pg would otherwise look for a file itself, and print what is wrong with it.
      password: () => findPassword(this.#address, host),
      ssl: await attempt.options(),
      keepAlive: true,
      application_name: parameters.get('application_name') ?? 'pop3d',
      types: { getTypeParser: asText },
    });
    const connection = new PostgresqlConnection(client, host);
    // A pooler such as PgBouncer lets us in while the server behind it hangs.
    const begin = async (): Promise<void> => {
      await client.connect();
      await connection.prepare(this.#settings, parameters.get('target_session_attrs'));
    };
    try {
      await within(withinMs, begin(), () => noConnectionWithin(withinMs));
      return connection;
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  async sample(
    connection: SqlConnection,
    { table, column }: SqlOrigin,
    limit: number,
  ): Promise<readonly unknown[]> {
    const { rows: names } = await connection.query(
      {
        name: 'pop3d_column',
        text: 'SELECT quote_ident(attname), attrelid::regclass FROM pg_attribute WHERE attrelid = $1 AND attnum = $2',
      },
      [String(table), String(column)],
    );
    const [[columnName, tableName] = []] = names as readonly (readonly string[])[];
    if (columnName === undefined || tableName === undefined) return [];
    const text = `SELECT ${columnName} FROM ${tableName} LIMIT ${limit}`;
    const { rows } = await connection.query({ name: 'pop3d_sample', text }, []);
    return rows.map(([value]) => value);
  }

  async hasTable(connection: SqlConnection, name: string): Promise<boolean> {
    const text = 'SELECT to_regclass($1)';
    const { rows } = await connection.query({ name: 'pop3d_table', text }, [name]);
    return (rows[0]?.[0] ?? null) !== null;
  }
}

class PostgresqlConnection implements SqlConnection {
  readonly host: ServerHost;
  readonly #client: pg.Client;
  #isUsable = true;

  constructor(client: pg.Client, host: ServerHost) {
    this.host = host;
    this.#client = client;
    const lose = (): void => {
      this.#isUsable = false;
    };
    client.on('error', lose).on('end', lose);
  }

  get #socket(): Socket {
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- it is one
    return this.#client.connection.stream as Socket;
  }

  get isUsable(): boolean {
    return this.#isUsable;
  }

  /** @throws SqlFailure for a server that is not of the wanted kind */
  async prepare(
    { statementMs, access }: DriverSettings,
    wanted: string | undefined,
  ): Promise<void> {
    const statements = [
      "SELECT pg_is_in_recovery(), current_setting('transaction_read_only')",
      // Not as parameters of the connection: PgBouncer refuses those.
      `SET statement_timeout = ${statementMs}`,
      ...(access === 'read' ? ['SET default_transaction_read_only = on'] : []),
    ];
    // One round trip, with a result for each statement.
    const results = (await this.#client.query<unknown[]>({
      text: statements.join('; '),
      rowMode: 'array',
    })) as unknown as readonly pg.QueryArrayResult<unknown[]>[];
    if (wanted === undefined || wanted === 'any') return;
    const [isStandby, isReadOnly] = results[0]?.rows[0] ?? [];
    const isAsWanted =
      new Map([
        ['primary', isStandby === 'f'],
        ['standby', isStandby === 't'],
        ['read-write', isReadOnly === 'off'],
        ['read-only', isReadOnly === 'on'],
      ]).get(wanted) ?? false;
    if (isAsWanted) return;
    throw new SqlFailure(`not ${wanted}`, { isOfHost: true, isLasting: false });
  }

  async query({ name, text }: SqlQuery, values: readonly SqlValue[]): Promise<SqlResult> {
    // A connection that nobody uses keeps no process alive.
    this.#socket.ref();
    try {
      const result = await this.#client.query<unknown[]>({
        ...(name === '' ? {} : { name }),
        text,
        values: [...values],
        rowMode: 'array',
      });
      return {
        columns: result.fields.map(({ name: column, tableID, columnID }) => ({
          name: column,
          origin: tableID === 0 || columnID === 0 ? null : { table: tableID, column: columnID },
        })),
        rows: result.rows,
        changes: result.rowCount ?? 0,
      };
    } catch (error) {
      throw failureOf(error);
    } finally {
      this.#socket.unref();
    }
  }

  async command(text: string): Promise<void> {
    this.#socket.ref();
    try {
      await this.#client.query(text);
    } catch (error) {
      throw failureOf(error);
    } finally {
      this.#socket.unref();
    }
  }

  close(): void {
    this.#isUsable = false;
    this.#client.end().catch(() => undefined);
  }

  destroy(): void {
    this.#isUsable = false;
    // With a query under way, pg ends the connection without a word.
    this.#socket.destroy();
  }
}

const asText = ((type: number) => (value: string | Buffer) =>
  type === byteaType ? Buffer.from(String(value).slice(2), 'hex') : String(value)) as never;

/** What pg says where TLS was asked for and there is none. */
function isWithoutTls(error: unknown): boolean {
  return /does not support SSL/.test((error as Error).message);
}

/**
 * SQLSTATE classes (PostgreSQL, appendix A) of a server that is going, is full, or has other
 * statements prepared than we think: the next connection may do better.
 */
const passingStates = /^(?:08|53|57|25(?!006)|40|58|XX)|^(?:0A000|26000)$/;
/** For `:peer IS NULL`; the message names the marker, in whatever language it is. */
const untypedState = '42P18';
/** Logins of the database's own that were refused, and databases that do not exist. */
const refusedStates = /^(?:28|3D)/;

function failureOf(error: unknown): Error {
  if (error instanceof SqlFailure) return error;
  if (error instanceof SourceUnavailable) {
    return new SqlFailure(error.message, { isOfHost: true, isLasting: error.isLasting });
  }
  const { message, code = '' } = error as NodeJS.ErrnoException;
  const isState = /^[0-9A-Z]{5}$/.test(code) && 'severity' in (error as object);
  if (!isState) return new SqlFailure(message || code, { isOfHost: true, isLasting: false });
  const isRefused = refusedStates.test(code);
  const isPassing = passingStates.test(code);
  const [, marker] = code === untypedState ? (/\$(\d+)/.exec(message) ?? []) : [];
  return new SqlFailure(message, {
    isOfHost: isRefused || isPassing,
    isLasting: !isPassing,
    untypedMarker: marker === undefined ? undefined : Number(marker),
  });
}
