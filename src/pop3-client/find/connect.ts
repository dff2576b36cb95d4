// The first connection that any of the targets' addresses gives. Each attempt gets a head start
// over the next one, so that an address that does not answer costs a moment and not the run. After
// RFC 8305 §5. With a proxy its addresses are what is connected to, for each target.

import { isIP, Socket } from 'node:net';
import { describeConnectFailure, Refused } from '../settings/failures.js';
import type { ProxySettings } from '../settings/settings.js';
import { withDeadline } from './deadline.js';
import type { Target } from './locate.js';
import type { NameServer } from './name-server.js';
import { connectThrough } from './socks5.js';
import { TemporaryError } from '../../system/failures/failures.js';
import { Pause } from '../../system/runtime/pause.js';
import { systemWords } from '../../system/failures/system-words.js';

/** RFC 8305 §5 (Connection Attempt Delay). */
const nextAddressMs = 250;
/**
 * The order of targets is the domain's wish: the next one waits longer than another address of the
 * same one.
 */
const nextTargetMs = 2000;
/** Failures that an error message names. */
const maxNamedFailures = 8;

export interface Endpoint {
  readonly target: Target;
  /** An IP address, or through a proxy the target's host, whatever that is. */
  readonly address: string;
}

export interface Connected extends Endpoint {
  readonly socket: Socket;
}

export interface ConnectOptions {
  readonly nameServer: NameServer;
  /** Null for none. */
  readonly proxy: ProxySettings | null;
  readonly localAddress: string | null;
  readonly localPort: number | null;
  /** For all attempts together. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Endpoints that were connected before and did not serve. */
  readonly excluded: readonly Endpoint[];
}

/**
 * Connects to the first endpoint that answers.
 *
 * @throws Refused when no target's name exists, or the proxy refuses them for good; TemporaryError
 *   naming the failures when none could be reached; the reason of `signal`
 */
export async function connectToAny(
  targets: readonly Target[],
  options: ConnectOptions,
): Promise<Connected> {
  const race = new Race(options);
  const late = new TemporaryError('no answer in time');
  // What people type is port 110, and the largest providers have pop3s alone.
  const isClear = targets.every(({ port, tls }) => port === 110 && tls !== 'off');
  const hint = isClear ? ': where there is only pop3s, on port 995, say --tls implicit' : '';
  try {
    return await withDeadline(options.signal, options.timeoutMs, late, (signal) =>
      race.run(targets, signal),
    );
  } catch (error) {
    if (options.signal.aborted || error instanceof Refused) throw error;
    throw new TemporaryError(`cannot connect: ${systemWords(error)}${hint}`);
  } finally {
    race.stop();
  }
}

/** For errors: where an endpoint is. */
export function placeOf({ target, address }: Endpoint): string {
  const where = target.host === address ? address : `${target.host} [${address}]`;
  return `${where} port ${target.port}`;
}

interface Attempt {
  readonly endpoint: Endpoint;
  /** What is connected to: the endpoint's address, or one of the proxy's. */
  readonly address: string;
  readonly port: number;
}

class Race {
  readonly #options: ConnectOptions;
  readonly #running = new Set<Socket>();
  readonly #failures: string[] = [];
  /** Whether every failure so far was for good, such as a name that does not exist. */
  #isForGood = true;
  #won: Connected | null = null;
  readonly #pause = new Pause();

  constructor(options: ConnectOptions) {
    this.#options = options;
  }

  async run(targets: readonly Target[], signal: AbortSignal): Promise<Connected> {
    const onAbort = (): void => this.#pause.end();
    signal.addEventListener('abort', onAbort);
    for (const target of targets) {
      let headStartMs = nextTargetMs;
      for (const attempt of await this.#findAttempts(target, signal)) {
        await this.#wait(headStartMs, signal);
        if (this.#won !== null) return this.#won;
        this.#start(attempt);
        headStartMs = nextAddressMs;
      }
    }
    await this.#wait(Infinity, signal);
    if (this.#won !== null) return this.#won;
    const failures = this.#failures.slice(0, maxNamedFailures).join('; ');
    if (this.#isForGood && failures !== '') throw new Refused(failures);
    throw new TemporaryError(failures === '' ? 'no address is left to try' : failures);
  }

  stop(): void {
    for (const socket of this.#running) socket.destroy();
  }

  async #findAttempts(target: Target, signal: AbortSignal): Promise<readonly Attempt[]> {
    const { nameServer, localAddress, excluded, proxy } = this.#options;
    const { host, port } = proxy ?? target;
    try {
      const addresses = await nameServer.findAddresses(host, signal);
      return addresses
        .filter((address) => localAddress === null || isIP(localAddress) === isIP(address))
        .map((address) => {
          const endpoint = { target, address: proxy === null ? address : target.host };
          return { endpoint, address, port };
        })
        .filter(({ endpoint: { address } }) =>
          excluded.every((one) => one.address !== address || one.target.port !== target.port),
        );
    } catch (error) {
      if (signal.aborted) this.#throwAborted(signal);
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOTFOUND' && code !== 'ENODATA') this.#isForGood = false;
      this.#failures.push(`${proxy === null ? '' : 'the proxy '}${host}: ${systemWords(error)}`);
      return [];
    }
  }

  /** Waits until the attempts so far have had `ms`, have all failed, or one has connected. */
  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    const until = performance.now() + ms;
    while (this.#won === null && this.#running.size > 0 && performance.now() < until) {
      if (signal.aborted) break;
      await this.#pause.last(Math.min(60_000, until - performance.now()));
    }
    if (this.#won === null && signal.aborted) this.#throwAborted(signal);
  }

  #start({ endpoint, address, port }: Attempt): void {
    const { localAddress, localPort, proxy } = this.#options;
    const socket = new Socket();
    this.#running.add(socket);
    // Also for the time between winning and being used.
    socket.on('error', (error) => finish(error));
    const finish = (error?: Error): void => {
      if (!this.#running.delete(socket)) return;
      if (error === undefined && this.#won === null) this.#won = { ...endpoint, socket };
      else socket.destroy();
      if (error !== undefined) {
        if (!(error instanceof Refused)) this.#isForGood = false;
        const place = proxy === null ? placeOf(endpoint) : `the proxy ${proxy.host}`;
        this.#failures.push(
          error instanceof TemporaryError || error instanceof Refused
            ? error.message
            : describeConnectFailure(error, place),
        );
      }
      this.#pause.end();
    };
    socket.once('connect', () => {
      socket.setNoDelay(true);
      if (proxy === null) finish();
      else connectThrough(socket, proxy, endpoint.target).then(() => finish(), finish);
    });
    socket.connect({
      ...{ host: address, port },
      ...(localAddress === null ? {} : { localAddress }),
      ...(localPort === null ? {} : { localPort }),
    });
  }

  #throwAborted({ reason }: AbortSignal): never {
    if (this.#options.signal.aborted) throw reason as Error;
    const failures = [systemWords(reason), ...this.#failures.slice(0, maxNamedFailures)];
    throw new TemporaryError(failures.join('; '));
  }
}
