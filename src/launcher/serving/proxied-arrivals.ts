// Connections on their way to the launcher. Those from a proxy's network wait here until their
// header was read; nobody else's connection is looked at.

import type { Socket } from 'node:net';
import { tryConnectionFacts } from '../handing-over/connection-facts.js';
import { readProxyHeader } from '../listening/read-proxy-header.js';
import type { NetworkList } from '../rules/network-list.js';
import type { Arrival } from './client.js';
import type { Launcher } from './launcher.js';

/** A proxy sends its header at once. */
const headerTimeoutMs = 3000;

export interface ProxiedArrivalsOptions {
  readonly launcher: Launcher;
  /** Where connections begin with a header. */
  readonly proxies: NetworkList;
  /** How many headers may be awaited now. */
  readonly mostAwaited: () => number;
}

export class ProxiedArrivals {
  readonly #options: ProxiedArrivalsOptions;
  #awaitedCount = 0;
  #onNoneAwaited: () => void = () => undefined;

  constructor(options: ProxiedArrivalsOptions) {
    this.#options = options;
  }

  get awaitedCount(): number {
    return this.#awaitedCount;
  }

  /** Takes charge of an accepted, paused connection. */
  accept(socket: Socket, arrival: Omit<Arrival, 'header'>): void {
    const { launcher, proxies } = this.#options;
    const proxy = proxies.isEmpty ? undefined : tryConnectionFacts(socket)?.remote;
    if (proxy === undefined || !proxies.includes(proxy.address)) {
      const { handOver, port } = arrival;
      launcher.accept(socket, { handOver, port, header: null });
    } else void this.#identify(socket, arrival, (why) => launcher.refuseUnheaded(proxy, why));
  }

  /** Resolves when nothing waits for its header any more: after `headerTimeoutMs` at most. */
  async end(): Promise<void> {
    if (this.#awaitedCount === 0) return;
    await new Promise<void>((resolve) => {
      this.#onNoneAwaited = resolve;
    });
  }

  async #identify(
    accepted: Socket,
    arrival: Omit<Arrival, 'header'>,
    refuse: (why: string) => void,
  ): Promise<void> {
    if (this.#awaitedCount >= this.#options.mostAwaited()) {
      accepted.destroy();
      refuse('too many connections without their PROXY headers');
      return;
    }
    this.#awaitedCount += 1;
    try {
      const { socket, header } = await readProxyHeader(accepted, headerTimeoutMs);
      this.#options.launcher.accept(socket, { ...arrival, header });
    } catch (error) {
      refuse((error as Error).message);
    } finally {
      this.#awaitedCount -= 1;
      if (this.#awaitedCount === 0) this.#onNoneAwaited();
    }
  }
}
