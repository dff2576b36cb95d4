// A database server that passdb edits: one connection, to the first host that takes edits, and what
// goes wrong told as passdb tells it. Each edit is one transaction. For passdb, not for servers.

import { randomBytes } from 'node:crypto';
import { ConfigurationError, TemporaryError } from '../../system/failures/failures.js';
import { nameOfHost, type ServerAddress } from './server-address.js';
import { serverSchema } from './server-schema.js';
import {
  SqlFailure,
  type SqlConnection,
  type SqlDriver,
  type SqlResult,
  type SqlValue,
} from './sql-driver.js';

const connectMs = 5000;
const ownColumns = 'SELECT username, domain, password, active FROM users LIMIT 0';

export type Values = Readonly<Record<string, SqlValue>>;

/** Runs a statement of ours, in which values are written `:name`. */
export type Run = (sql: string, values?: Values) => Promise<SqlResult>;

/** Every method throws ConfigurationError or TemporaryError. */
export class EditedServer {
  readonly #address: ServerAddress;
  readonly #driver: SqlDriver;
  #connection: Promise<SqlConnection> | undefined;

  constructor(address: ServerAddress, driver: SqlDriver) {
    this.#address = address;
    this.#driver = driver;
  }

  /** @returns what `work` does; `otherwise` where the tables are not there yet */
  async read<T>(otherwise: T, work: (run: Run) => Promise<T>, table = 'users'): Promise<T> {
    return this.#explained(async (connection) =>
      (await this.#driver.hasTable(connection, table)) ? work(this.#runOn(connection)) : otherwise,
    );
  }

  /** Does the work in one transaction, over tables that are all there. What it throws undoes it. */
  async edit<T>(work: (run: Run) => Promise<T>): Promise<T> {
    return this.#explained(async (connection) => {
      const run = this.#runOn(connection);
      if (!(await this.#driver.hasTable(connection, 'scram_decoy'))) {
        // A table `users` of another program stays as it is, and nothing is put beside it.
        if (await this.#driver.hasTable(connection, 'users')) await run(ownColumns);
        // MySQL commits at such statements, so they come before the transaction.
        for (const statement of serverSchema(this.#address.scheme)) await run(statement);
        await run('INSERT INTO scram_decoy (secret) VALUES (:secret)', {
          secret: randomBytes(32),
        });
      }
      await connection.command('BEGIN');
      try {
        const result = await work(run);
        await connection.command('COMMIT');
        return result;
      } catch (error) {
        await connection.command('ROLLBACK').catch(() => undefined);
        throw error;
      }
    });
  }

  close(): void {
    void this.#connection?.then(
      (connection) => {
        connection.close();
      },
      () => undefined,
    );
  }

  #runOn(connection: SqlConnection): Run {
    return (sql, values = {}) => {
      const bound: SqlValue[] = [];
      const text = sql.replace(/:([a-zA-Z]+)/g, (_, name: string) => {
        bound.push(values[name] ?? null);
        return this.#address.scheme === 'mysql' ? '?' : `$${bound.length}`;
      });
      return connection.query({ name: '', text }, bound);
    };
  }

  async #explained<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T> {
    try {
      return await work(await (this.#connection ??= this.#connect()));
    } catch (error) {
      if (!(error instanceof SqlFailure)) throw error;
      throw error.isLasting
        ? new ConfigurationError(error.message)
        : new TemporaryError(error.message);
    }
  }

  async #connect(): Promise<SqlConnection> {
    const failures: SqlFailure[] = [];
    for (const host of this.#address.hosts) {
      try {
        return await this.#driver.connect(host, connectMs);
      } catch (error) {
        if (!(error instanceof SqlFailure)) throw error;
        const message = `${nameOfHost(this.#address.scheme, host)}: ${error.message}`;
        failures.push(new SqlFailure(message, error));
      }
    }
    throw new SqlFailure(failures.map(({ message }) => message).join('; '), {
      isOfHost: true,
      isLasting: failures.every(({ isLasting }) => isLasting),
    });
  }
}
