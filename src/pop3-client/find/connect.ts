// The first connection that any of the targets' addresses gives, each tried with a head start over the next, so that one
// that does not answer costs a moment and not the run. After RFC 8305 §5.

import { isIP, Socket } from 'node:net';
import { reasonOf, Refused } from '../settings/failures.js';
import type { Target } from './locate.js';
import type { NameServer } from './name-server.js';
import { TemporaryError } from '../../system/failures/failures.js';

/** RFC 8305 §5 (Connection Attempt Delay). */
const nextAddressMs = 250;
/** SRV's order is the domain's wish, so the next target waits longer than another address of the same one. */
const nextTargetMs = 2000;

export interface Endpoint {
  readonly target: Target;
  readonly address: string;
}

export interface Connected extends Endpoint {
  readonly socket: Socket;
}

export interface ConnectOptions {
  readonly nameServer: NameServer;
  readonly localAddress: string | null;
  readonly localPort: number | null;
  /** For all attempts together. */
  readonly timeoutMs: number;
  /** Endpoints that were connected before and did not do; the caller adds to it. */
  readonly excluded: readonly Endpoint[];
}

/**
 * Connects to the first endpoint that answers.
 *
 * @throws Refused when no target's name exists; TemporaryError naming every failure when none could be reached
 */
export async function connectToAny(
  targets: readonly Target[],
  options: ConnectOptions,
): Promise<Connected> {
  const race = new Race(options);
  const deadline = setTimeout(() => race.giveUp(), options.timeoutMs);
  try {
    for (const target of targets) {
      let isFirst = true;
      for (const address of await race.findAddresses(target)) {
        if (race.isOver) break;
        await race.waitBefore(isFirst ? nextTargetMs : nextAddressMs);
        race.start({ target, address });
        isFirst = false;
      }
    }
    return await race.winner();
  } finally {
    clearTimeout(deadline);
    race.stop();
  }
}

class Race {
  readonly #options: ConnectOptions;
  readonly #running = new Set<Socket>();
  readonly #failures: string[] = [];
  #unknownNames = 0;
  #attempts = 0;
  #won: Connected | null = null;
  #isTimeUp = false;
  #wake: (() => void) | null = null;

  constructor(options: ConnectOptions) {
    this.#options = options;
  }

  get isOver(): boolean {
    return this.#won !== null || this.#isTimeUp;
  }

  async findAddresses(target: Target): Promise<readonly string[]> {
    if (this.isOver) return [];
    const { nameServer, localAddress, excluded } = this.#options;
    try {
      const addresses = await nameServer.findAddresses(target.host);
      return addresses.filter(
        (address) =>
          (localAddress === null || isIP(localAddress) === isIP(address)) &&
          !excluded.some((one) => one.address === address && one.target.port === target.port),
      );
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOTFOUND' || code === 'ENODATA') this.#unknownNames += 1;
      else this.#attempts += 1;
      this.#failures.push(`${target.host}: ${reasonOf(error)}`);
      return [];
    }
  }

  /** Waits until the attempts so far have had `ms`, have all failed, or one has connected. */
  async waitBefore(ms: number): Promise<void> {
    const until = performance.now() + ms;
    while (!this.isOver && this.#running.size > 0 && performance.now() < until) {
      await this.#change(until - performance.now());
    }
  }

  start(endpoint: Endpoint): void {
    if (this.isOver) return;
    this.#attempts += 1;
    const { address, target } = endpoint;
    const { localAddress, localPort } = this.#options;
    const socket = new Socket();
    this.#running.add(socket);
    const finish = (error?: Error): void => {
      if (!this.#running.delete(socket)) return;
      if (error === undefined && !this.isOver) this.#won = { ...endpoint, socket };
      else socket.destroy();
      if (error !== undefined) this.#failures.push(error.message);
      this.#wake?.();
    };
    socket.once('error', finish);
    socket.once('connect', () => {
      socket.off('error', finish);
      socket.setNoDelay(true);
      finish();
    });
    socket.connect({
      host: address,
      port: target.port,
      ...(localAddress === null ? {} : { localAddress }),
      ...(localPort === null ? {} : { localPort }),
    });
  }

  async winner(): Promise<Connected> {
    while (!this.isOver && this.#running.size > 0) await this.#change(60_000);
    if (this.#won !== null) return this.#won;
    const failures = this.#failures.slice(0, 8).join('; ');
    if (this.#attempts === 0 && this.#unknownNames > 0) throw new Refused(failures);
    throw new TemporaryError(
      `cannot connect: ${this.#isTimeUp ? 'no answer in time; ' : ''}${failures}`.replace(
        /[; :]+$/,
        '',
      ),
    );
  }

  giveUp(): void {
    this.#isTimeUp = true;
    this.#wake?.();
  }

  stop(): void {
    for (const socket of this.#running) {
      socket.on('error', () => undefined);
      socket.destroy();
    }
  }

  async #change(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
