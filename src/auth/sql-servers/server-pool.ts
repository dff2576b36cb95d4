// Connections to a database of which there are several hosts, any of which may be away, hang or
// come back. Answers within a bounded time, whatever they do; what waits is bounded too.

import { ConfigurationError } from '../../system/failures/failures.js';
import { SourceUnavailable } from '../accounts/account-source.js';
import { FairTurns, NoTurnError } from '../turns/fair-turns.js';
import { nameOfHost, type ServerAddress, type ServerHost } from './server-address.js';
import { SqlFailure, type SqlConnection, type SqlDriver } from './sql-driver.js';

export interface PoolLimits {
  readonly connections: number;
  readonly connectMs: number;
  readonly queryMs: number;
  /** From the call to its answer, waiting included. */
  readonly totalMs: number;
  /** How long a connection may stay unused. */
  readonly idleMs: number;
  /** Once no host could be reached, calls fail at once for so long. */
  readonly pauseMs: number;
  /** A host that takes longer while others wait for a turn is given up for one that may not. */
  readonly slowMs: number;
  /** How long a host that failed, or was slow, comes after the others. */
  readonly avoidMs: number;
  readonly maxWaiting: number;
}

export const defaultPoolLimits: PoolLimits = {
  connections: 2,
  connectMs: 1000,
  queryMs: 2000,
  totalMs: 4000,
  idleMs: 60_000,
  pauseMs: 500,
  slowMs: 250,
  avoidMs: 30_000,
  maxWaiting: 512,
};

interface Idle {
  readonly connection: SqlConnection;
  readonly timer: NodeJS.Timeout;
}

export class ServerPool {
  readonly #address: Pick<ServerAddress, 'scheme' | 'hosts'>;
  readonly #driver: SqlDriver;
  readonly #limits: PoolLimits;
  readonly #turns: FairTurns;
  /** The last used at the end: those that are not needed grow old. */
  readonly #idle: Idle[] = [];
  readonly #avoidedUntilMs = new Map<ServerHost, number>();
  #outage: { readonly failure: SourceUnavailable; readonly untilMs: number } | undefined;
  #isClosed = false;

  constructor(
    address: Pick<ServerAddress, 'scheme' | 'hosts'>,
    driver: SqlDriver,
    limits: Partial<PoolLimits> = {},
  ) {
    this.#address = address;
    this.#driver = driver;
    this.#limits = { ...defaultPoolLimits, ...limits };
    this.#turns = new FairTurns({
      concurrency: this.#limits.connections,
      maxWaiting: this.#limits.maxWaiting,
      maxWaitMs: Math.max(0, this.#limits.totalMs - this.#limits.queryMs),
      purpose: 'the database',
    });
  }

  /**
   * Gives `work` a connection; on another host again when the first is lost, so it must be a
   * reading, or not mind to be done twice.
   *
   * @param network whose turn it is: no network takes the connections of the others
   * @param totalMs from this call to its answer, waiting included; as long as the pool allows by
   *   default
   * @throws SourceUnavailable
   */
  async run<T>(
    network: string,
    work: (connection: SqlConnection) => Promise<T>,
    totalMs = this.#limits.totalMs,
  ): Promise<T> {
    const deadlineMs = performance.now() + totalMs;
    this.#requireHope();
    try {
      return await this.#turns.run(network, () => this.#attempt(work, deadlineMs));
    } catch (error) {
      if (error instanceof NoTurnError) throw new SourceUnavailable(error.message, false);
      if (error instanceof SqlFailure) throw new SourceUnavailable(error.message, error.isLasting);
      if (error instanceof ConfigurationError) throw new SourceUnavailable(error.message, true);
      throw error;
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const { connection, timer } of this.#idle.splice(0)) {
      clearTimeout(timer);
      connection.close();
    }
  }

  /** Most of those that wait while the servers are away learn it from the one that tried. */
  #requireHope(): void {
    if (this.#isClosed) throw new SourceUnavailable('the password database was closed', false);
    if (this.#outage === undefined) return;
    if (performance.now() < this.#outage.untilMs) throw this.#outage.failure;
  }

  async #attempt<T>(
    work: (connection: SqlConnection) => Promise<T>,
    deadlineMs: number,
  ): Promise<T> {
    this.#requireHope();
    for (;;) {
      if (performance.now() >= deadlineMs) {
        throw new SourceUnavailable(`${this.#names()}: no answer in time`, false);
      }
      const { connection, isFresh } = await this.#connection(deadlineMs);
      try {
        const askedMs = performance.now();
        const leftMs = Math.min(this.#limits.queryMs, deadlineMs - askedMs);
        const result = await within(leftMs, work(connection), () => this.#late(connection, leftMs));
        const isSlow = performance.now() - askedMs > this.#limits.slowMs;
        if (isSlow && this.#turns.hasWaiting) this.#tryOthers(connection.host);
        this.#keep(connection);
        return result;
      } catch (error) {
        if (!(error instanceof SqlFailure) || !error.isOfHost) {
          this.#keep(connection);
          throw error;
        }
        connection.destroy();
        // A connection that was lost while nobody used it says nothing about its host.
        if (isFresh || error instanceof TooSlow) this.#avoid(connection.host);
        if (performance.now() >= deadlineMs) throw error;
        this.#requireHope();
      }
    }
  }

  async #connection(
    deadlineMs: number,
  ): Promise<{ readonly connection: SqlConnection; readonly isFresh: boolean }> {
    for (let kept = this.#idle.pop(); kept !== undefined; kept = this.#idle.pop()) {
      clearTimeout(kept.timer);
      if (kept.connection.isUsable) return { connection: kept.connection, isFresh: false };
      kept.connection.destroy();
    }
    return { connection: await this.#connect(deadlineMs), isFresh: true };
  }

  async #connect(deadlineMs: number): Promise<SqlConnection> {
    const failures: SqlFailure[] = [];
    for (const host of this.#hostsInOrder()) {
      const leftMs = Math.min(this.#limits.connectMs, deadlineMs - performance.now());
      if (leftMs <= 0) break;
      try {
        const connection = await this.#driver.connect(host, leftMs);
        this.#avoidedUntilMs.delete(host);
        this.#outage = undefined;
        return connection;
      } catch (error) {
        if (!(error instanceof SqlFailure)) throw error;
        this.#avoid(host);
        failures.push(
          new SqlFailure(`${nameOfHost(this.#address.scheme, host)}: ${error.message}`, error),
        );
      }
    }
    const failure = new SourceUnavailable(
      failures.length === 0
        ? `${this.#names()}: no answer in time`
        : failures.map(({ message }) => message).join('; '),
      failures.length > 0 && failures.every(({ isLasting }) => isLasting),
    );
    this.#outage = { failure, untilMs: performance.now() + this.#limits.pauseMs };
    throw failure;
  }

  /** As they are listed; those that failed of late come last, the latest at the end. */
  #hostsInOrder(): readonly ServerHost[] {
    return [...this.#address.hosts].sort((one, other) => this.#rank(one) - this.#rank(other));
  }

  /** 0: nothing is known against it. */
  #rank(host: ServerHost): number {
    const untilMs = this.#avoidedUntilMs.get(host) ?? 0;
    return untilMs < performance.now() ? 0 : untilMs;
  }

  /** Where all are slow, going from one to the other would only cost connections. */
  #tryOthers(slow: ServerHost): void {
    const mayBeBetter = (host: ServerHost): boolean => host !== slow && this.#rank(host) === 0;
    if (this.#address.hosts.some(mayBeBetter)) this.#avoid(slow);
  }

  #avoid(host: ServerHost): void {
    this.#avoidedUntilMs.set(host, performance.now() + this.#limits.avoidMs);
    // What else is open to it would make others wait as long.
    for (const idle of this.#idle.filter(({ connection }) => connection.host === host)) {
      this.#idle.splice(this.#idle.indexOf(idle), 1);
      clearTimeout(idle.timer);
      idle.connection.destroy();
    }
  }

  #keep(connection: SqlConnection): void {
    const isWanted = connection.host === this.#hostsInOrder()[0];
    if (this.#isClosed || !connection.isUsable || !isWanted) {
      connection.close();
      return;
    }
    const timer = setTimeout(() => {
      this.#idle.splice(this.#idle.indexOf(idle), 1);
      connection.close();
    }, this.#limits.idleMs).unref();
    const idle = { connection, timer };
    this.#idle.push(idle);
  }

  #late({ host }: SqlConnection, afterMs: number): SqlFailure {
    const name = nameOfHost(this.#address.scheme, host);
    return new TooSlow(`${name}: no answer within ${(afterMs / 1000).toFixed(1)} s`, {
      isOfHost: true,
      isLasting: false,
    });
  }

  #names(): string {
    const { scheme, hosts } = this.#address;
    return hosts.map((host) => nameOfHost(scheme, host)).join(', ');
  }
}

class TooSlow extends SqlFailure {}

/** @throws what `late` makes when `work` takes longer; what comes of it then is not looked at */
export async function within<T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => {
        reject(late());
      },
      Math.max(0, ms),
    );
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
