// Reads stored passwords from a database server: of the tables that passdb makes, or by a query of
// the administrator's. Knows SQL; knows nothing of schemes or verdicts.

import {
  maxRows,
  SourceUnavailable,
  type AccountRow,
  type AccountSource,
} from '../accounts/account-source.js';
import { loginClient, type LoginClient } from '../accounts/login-client.js';
import type { LoginName } from '../accounts/login-name.js';
import { rowReader } from '../accounts/row-columns.js';
import { bindParameters, type Dialect, type ParameterName } from './named-parameters.js';
import { passwordsQuery, usersQuery } from './server-schema.js';
import { RowSample } from './row-sample.js';
import type { ServerPool } from './server-pool.js';
import {
  SqlFailure,
  type SqlConnection,
  type SqlDriver,
  type SqlOrigin,
  type SqlQuery,
  type SqlResult,
  type SqlValue,
} from './sql-driver.js';

export interface ServerAccountsOptions {
  readonly dialect: Dialect;
  readonly driver: SqlDriver;
  readonly pool: ServerPool;
  /** A query for a database of another shape; undefined: passdb's own tables. */
  readonly query: string | undefined;
  /** How old what is known of the accounts as a whole may grow; a minute by default. */
  readonly knowledgeLifeMs?: number;
}

const appTable = 'app_passwords';
const secretTable = 'scram_decoy';
const secretQuery = { name: 'pop3d_secret', text: `SELECT secret FROM ${secretTable}` };

const defaultKnowledgeLifeMs = 60_000;
const sampleSize = 512;
const ownSample = {
  name: 'pop3d_own_sample',
  text: `SELECT password FROM users LIMIT ${sampleSize}`,
};
const appSample = {
  name: 'pop3d_app_sample',
  text: `SELECT password, expires FROM ${appTable} LIMIT ${sampleSize}`,
};
const ownDays = { name: 'pop3d_days', text: `SELECT min(days) FROM ${appTable}` };
/** A sample is taken beside or after a reading: together they are within 5 s. */
const sampleMs = 1000;

/** What is known of the accounts as a whole. */
interface Known {
  readonly sample: RowSample;
  readonly appSample: RowSample;
  readonly secret: Buffer | null;
  readonly leastDays: number | null;
  readonly atMs: number;
}

export class ServerAccounts implements AccountSource {
  readonly #options: ServerAccountsOptions;
  /** Undefined: not read yet; null: the query has no column of a table in the first place. */
  #origin: SqlOrigin | null | undefined;
  /** Markers of the query that the server knows no type for. */
  readonly #texts = new Set<number>();
  #apps: { readonly areThere: boolean; readonly atMs: number } | undefined;
  #known: Known | undefined;
  #learning: Promise<Known> | undefined;

  constructor(options: ServerAccountsOptions) {
    this.#options = options;
  }

  async find(name: LoginName, client: LoginClient): Promise<readonly AccountRow[]> {
    const values = valuesOf(name, client);
    return this.#options.pool.run(client.network, async (connection) => {
      const { columns, rows } = await this.#ask(connection, values);
      const names = columns.map(({ name: column }) => column.toLowerCase());
      const readRow = rowReader(names);
      const isOwn = this.#options.query === undefined;
      return rows.slice(0, maxRows + 1).flatMap((row) => {
        const account = readRow(row);
        if (account === null) return [];
        if (!isOwn) return [account];
        const at = (column: string): unknown => row[names.indexOf(column)];
        // Where the server takes other letters for the same, passdb's tables say whose row it is.
        if (at('username') !== name.user || at('domain') !== name.domain) return [];
        if (isPast(at('expires'))) return [];
        return [{ ...account, isActive: at('active') === 'Y' }];
      });
    });
  }

  /** An application password only where none of the users' own may be picked. */
  async pick(position: bigint, accepts: (stored: string) => boolean): Promise<string | null> {
    const known = await this.#recall();
    return known.sample.pick(position, accepts) ?? known.appSample.pick(position, accepts);
  }

  async decoySecret(): Promise<Buffer | null> {
    return (await this.#recall()).secret;
  }

  /** Of what a query may give nothing is known but that it has the column. */
  async leastDays(): Promise<number | null> {
    const { query } = this.#options;
    if (query !== undefined) return /\bdays\b/i.test(query) ? 1 : null;
    return (await this.#recall()).leastDays;
  }

  close(): void {
    this.#options.pool.close();
  }

  async #ask(
    connection: SqlConnection,
    values: Readonly<Record<ParameterName, SqlValue>>,
  ): Promise<SqlResult> {
    const { dialect } = this.#options;
    const { name, query } = await this.#query(connection);
    const { text, parameters } = bindParameters(query, dialect, this.#texts);
    const bound = parameters.map((parameter) => values[parameter]);
    let result;
    try {
      result = await connection.query({ name, text }, bound);
    } catch (error) {
      const marker = error instanceof SqlFailure ? error.untypedMarker : undefined;
      if (marker === undefined || this.#texts.has(marker)) throw error;
      this.#texts.add(marker);
      return this.#ask(connection, values);
    }
    if (result.columns.length === 0) {
      throw new SourceUnavailable('the passdb query returns no rows', true);
    }
    const names = result.columns.map(({ name }) => name.toLowerCase());
    this.#origin ??= result.columns[Math.max(0, names.indexOf('password'))]?.origin ?? null;
    return result;
  }

  /** passdb makes the table of application passwords when it makes the first. */
  async #query(
    connection: SqlConnection,
  ): Promise<{ readonly name: string; readonly query: string }> {
    const { query, driver, knowledgeLifeMs = defaultKnowledgeLifeMs } = this.#options;
    if (query !== undefined) return { name: 'pop3d_query', query };
    const now = performance.now();
    if (this.#apps === undefined || now - this.#apps.atMs > knowledgeLifeMs) {
      this.#apps = { areThere: await driver.hasTable(connection, appTable), atMs: now };
    }
    return this.#apps.areThere
      ? { name: 'pop3d_passwords', query: passwordsQuery }
      : { name: 'pop3d_users', query: usersQuery };
  }

  /** An old sample serves while a new one is taken, or while there is none to be had. */
  async #recall(): Promise<Known> {
    const { knowledgeLifeMs = defaultKnowledgeLifeMs } = this.#options;
    if (this.#known !== undefined && performance.now() - this.#known.atMs < knowledgeLifeMs) {
      return this.#known;
    }
    this.#learning ??= this.#learn().finally(() => (this.#learning = undefined));
    if (this.#known === undefined) return this.#learning;
    this.#learning.catch(() => undefined);
    return this.#known;
  }

  async #learn(): Promise<Known> {
    const { pool, driver, query } = this.#options;
    const known = await pool.run(
      '',
      async (connection) => {
        // Nobody's row tells which column the passwords are in.
        if (this.#origin === undefined) await this.#ask(connection, nobody);
        const rowsOf = async (own: SqlQuery): Promise<SqlResult['rows']> =>
          (await connection.query(own, [])).rows;
        const isOwn = query === undefined;
        const stored = isOwn
          ? (await rowsOf(ownSample)).map(([value]) => value)
          : await ifAllowed(() =>
              this.#origin ? driver.sample(connection, this.#origin, sampleSize) : [],
            );
        const hasApps = isOwn && this.#apps?.areThere === true;
        const apps = hasApps ? await rowsOf(appSample) : [];
        const unexpired = apps.filter(([, expires]) => !isPast(expires));
        const [[days = null] = []] = hasApps ? await rowsOf(ownDays) : [];
        const hasSecret = await driver.hasTable(connection, secretTable);
        const secrets = hasSecret ? await ifAllowed(() => rowsOf(secretQuery)) : [];
        const secret = secrets[0]?.[0];
        return {
          sample: new RowSample(stored.flatMap((value) => asText(value))),
          appSample: new RowSample(unexpired.flatMap(([value]) => asText(value))),
          leastDays: days === null ? null : Number(days),
          secret: Buffer.isBuffer(secret) && secret.length >= 16 ? secret : null,
          atMs: performance.now(),
        };
      },
      sampleMs,
    );
    return (this.#known = known);
  }
}

/** What the database's user may not read, or what the server finds wrong, is as good as empty. */
async function ifAllowed<T>(
  read: () => Promise<readonly T[]> | readonly T[],
): Promise<readonly T[]> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof SqlFailure && !error.isOfHost) return [];
    throw error;
  }
}

function valuesOf(
  { user, domain }: LoginName,
  { address, isTls, service, level }: LoginClient,
): Readonly<Record<ParameterName, SqlValue>> {
  return {
    user,
    domain,
    address: `${user}@${domain}`,
    peer: address,
    tls: isTls ? '1' : '0',
    service,
    level: level === null ? null : String(level),
  };
}

const nobody = valuesOf({ user: '', domain: '' }, loginClient(undefined));

function isPast(seconds: unknown): boolean {
  return seconds !== null && seconds !== undefined && Number(seconds) <= Date.now() / 1000;
}

function asText(value: unknown): readonly string[] {
  if (Buffer.isBuffer(value)) return [value.toString('utf8')];
  return typeof value === 'string' ? [value] : [];
}
