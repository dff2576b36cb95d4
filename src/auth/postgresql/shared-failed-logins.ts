// Failed logins of which several nodes tell each other, through a table of PostgreSQL. Behind the
// sessions and never waited for: while the server is away each node knows of its own ones only.
// The times are the server's, so that the nodes' clocks do not matter.

import { ConfigurationError } from '../../system/failures/failures.js';
import { requireDriver } from '../sql-servers/driver-packages.js';
import { forEdits, parseServerAddress } from '../sql-servers/server-address.js';
import { defaultPoolLimits, ServerPool } from '../sql-servers/server-pool.js';
import type { SqlResult, SqlValue } from '../sql-servers/sql-driver.js';
import { PostgresqlDriver } from './postgresql-driver.js';

/** Takes over what other nodes counted for a network: how often, and for how long it is delayed. */
export type Learn = (
  network: string,
  failures: { readonly count: number; readonly owedMs: number },
) => void;

/** The same numbers as in failed-logins.ts: ten at most, one is forgotten each minute. */
const tell = `
  INSERT INTO failed_logins AS known (network, count, last_at, answer_at)
  SELECT network, least(10, times), now(), now() + least(30000, delay) * interval '1 ms'
  FROM json_to_recordset($1) AS told (network text, times integer, delay integer)
  ON CONFLICT (network) DO UPDATE SET
    count = least(10, excluded.count + greatest(0,
      known.count - floor(extract(epoch FROM now() - known.last_at) / 60))),
    last_at = now(),
    answer_at = least(now() + interval '30 s',
      greatest(known.answer_at, now()) + (excluded.answer_at - now()))`;

const ask = `
  SELECT network, count - floor(extract(epoch FROM now() - last_at) / 60),
    greatest(0, round(1000 * extract(epoch FROM answer_at - now())))
  FROM failed_logins WHERE last_at > now() - $1::integer * interval '1 s'
  ORDER BY last_at DESC LIMIT 10000`;

const forget = "DELETE FROM failed_logins WHERE last_at < now() - interval '10 minutes'";

const everyMs = 500;
/** Of the table; every node does it. */
const forgetEveryMs = 60_000;
/** What is asked for: the latest, more than once, or after an outage whatever still counts. */
const latestSeconds = 5;
const allSeconds = 600;
/** More networks are not kept while the server is away. */
const mostWaiting = 10_000;

/** What a network did since it was told the last time. */
interface Untold {
  readonly times: number;
  /** When its next login may be answered, for these alone; a time of performance.now(). */
  readonly answerAtMs: number;
}

export class SharedFailedLogins {
  readonly #onWarning: (why: string) => void;
  readonly #pool: ServerPool;
  #untold = new Map<string, Untold>();
  #isUpToDate = false;
  #forgotMs = -Infinity;
  #told = '';

  /**
   * @param uri `postgresql://…`, with the table `failed_logins` of services/postgresql/schema.sql
   * @param onWarning called once for each thing that goes wrong
   * @throws ConfigurationError for a URI or package that is wrong or missing
   */
  constructor(uri: string, onWarning: (why: string) => void) {
    if (!/^postgres(?:ql)?:/.test(uri)) {
      throw new ConfigurationError('option --failed-logins: it takes postgresql://… only');
    }
    const address = forEdits(parseServerAddress(uri));
    requireDriver('pg');
    const settings = { statementMs: defaultPoolLimits.queryMs, access: 'edit' } as const;
    const driver = new PostgresqlDriver(address, settings);
    this.#onWarning = onWarning;
    this.#pool = new ServerPool(address, driver, { connections: 1 });
  }

  /** Tells and asks from now on; keeps no process alive. */
  start(learn: Learn): void {
    const goOn = (): void => void this.#exchange(learn).finally(() => this.start(learn));
    setTimeout(goOn, everyMs).unref();
  }

  /** @param delayMs by which the next answer to the network comes later */
  add(network: string, delayMs: number): void {
    const known = this.#untold.get(network);
    if (known === undefined && this.#untold.size >= mostWaiting) return;
    const now = performance.now();
    this.#untold.set(network, {
      times: (known?.times ?? 0) + 1,
      answerAtMs: Math.max(known?.answerAtMs ?? 0, now) + delayMs,
    });
  }

  async #exchange(learn: Learn): Promise<void> {
    try {
      await this.#tell();
      await this.#ask(learn);
      if (performance.now() - this.#forgotMs > forgetEveryMs) {
        await this.#run('pop3d_forget', forget);
        this.#forgotMs = performance.now();
      }
      this.#told = '';
    } catch (error) {
      this.#isUpToDate = false;
      const why = `option --failed-logins: ${(error as Error).message}`;
      if (why !== this.#told) this.#onWarning(why);
      this.#told = why;
    }
  }

  async #tell(): Promise<void> {
    if (this.#untold.size === 0) return;
    const untold = this.#untold;
    this.#untold = new Map();
    const now = performance.now();
    const rows = [...untold].map(([network, { times, answerAtMs }]) => ({
      network,
      times: Math.min(times, 10),
      delay: Math.round(Math.min(Math.max(0, answerAtMs - now), 30_000)),
    }));
    try {
      await this.#run('pop3d_tell', tell, JSON.stringify(rows));
    } catch (error) {
      for (const [network, { times, answerAtMs }] of untold) {
        const later = this.#untold.get(network);
        this.#untold.set(network, {
          times: times + (later?.times ?? 0),
          answerAtMs: Math.max(answerAtMs, later?.answerAtMs ?? 0),
        });
      }
      throw error;
    }
  }

  async #ask(learn: Learn): Promise<void> {
    const seconds = this.#isUpToDate ? latestSeconds : allSeconds;
    const { rows } = await this.#run('pop3d_ask', ask, seconds);
    for (const [network, count, owedMs] of rows) {
      learn(String(network), { count: Number(count), owedMs: Number(owedMs) });
    }
    this.#isUpToDate = true;
  }

  #run(name: string, text: string, ...values: readonly SqlValue[]): Promise<SqlResult> {
    return this.#pool.run('', (connection) => connection.query({ name, text }, values));
  }
}
