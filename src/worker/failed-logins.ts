// How often each network failed to log in lately, and until when no login of it may be answered.
// Bounded: it forgets, and it remembers only so many networks. tcpsrun counts for all its programs,
// each kept worker and each process of its own for their sessions.

import { LRUCache } from 'lru-cache';
import { tryWholeNumber } from '../system/program/options.js';

/** For each time so long after the last one, one failed login is forgotten. */
const forgetMs = 60_000;

/** More are not counted, so that everything is forgotten ten minutes after the last one. */
const maxCount = 10;

/** Others behind the same address, with the right password, wait no longer than this. */
const maxOwedMs = 30_000;

/** What is known of a network. */
export interface RecentFailures {
  /** Failed logins that are not forgotten; 0 to 10. */
  readonly count: number;
  /** No login of the network may be answered for so many milliseconds; 0 to 30,000. */
  readonly owedMs: number;
}

export const noFailures: RecentFailures = { count: 0, owedMs: 0 };

interface Entry {
  readonly count: number;
  /** When the last one of them was counted. */
  readonly lastMs: number;
  /** No login may be answered before. */
  readonly verdictAtMs: number;
}

export class FailedLogins {
  readonly #now: () => number;
  readonly #byNetwork: LRUCache<string, Entry>;

  /**
   * @param maxNetworks how many are remembered; the one that failed longest ago makes room
   * @param now milliseconds of a clock that never goes back
   */
  constructor(maxNetworks: number, now: () => number = () => performance.now()) {
    this.#now = now;
    this.#byNetwork = new LRUCache({ max: maxNetworks });
  }

  get networkCount(): number {
    return this.#byNetwork.size;
  }

  /**
   * Counts a failed login. Delays add up, so that guesses on many connections at a time are
   * answered one by one. Hanging up before the answer does not shorten the delay.
   *
   * @param delayMs by which the next verdict comes later
   * @param sinceMs when the login was begun, by the same clock. The delay counts from then
   */
  add(network: string, delayMs: number, sinceMs = this.#now()): void {
    const now = this.#now();
    const verdictAtMs = this.#byNetwork.peek(network)?.verdictAtMs ?? sinceMs;
    this.#byNetwork.set(network, {
      count: Math.min(maxCount, this.of(network).count + 1),
      lastMs: now,
      verdictAtMs: Math.min(Math.max(verdictAtMs, sinceMs) + delayMs, now + maxOwedMs),
    });
  }

  /** Takes over what somebody else counted, where it is more. */
  learn(network: string, { count, owedMs }: RecentFailures): void {
    const known = this.of(network);
    if (count <= known.count && owedMs <= known.owedMs) return;
    const now = this.#now();
    this.#byNetwork.set(network, {
      count: Math.min(maxCount, Math.max(count, known.count)),
      lastMs: now,
      verdictAtMs: now + Math.min(maxOwedMs, Math.max(owedMs, known.owedMs)),
    });
  }

  of(network: string): RecentFailures {
    const entry = this.#byNetwork.peek(network);
    if (entry === undefined) return noFailures;
    const now = this.#now();
    const count = entry.count - Math.floor((now - entry.lastMs) / forgetMs);
    if (count > 0) return { count, owedMs: Math.max(0, entry.verdictAtMs - now) };
    this.#byNetwork.delete(network);
    return noFailures;
  }
}

/** @returns FAILED_LOGINS and LOGIN_DELAY_MS; 0 for what is not there or no number */
export function failuresNamedIn(
  environment: Readonly<Record<string, string | undefined>>,
): RecentFailures {
  const read = (name: string): number => tryWholeNumber(environment[name] ?? '', 0, 1_000_000) ?? 0;
  return { count: read('FAILED_LOGINS'), owedMs: read('LOGIN_DELAY_MS') };
}
