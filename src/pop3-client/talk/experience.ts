// What worked with an account's server, so that what did not is not tried in every run: which login
// method, whether commands may go ahead of replies, whether UTF8 may be said.

import { createHash } from 'node:crypto';
import type { Capabilities } from './client.js';
import { mechanismsOf, type Offer } from './login-methods.js';

/** As the journal has it. */
export interface Learned {
  /** The method that was accepted after a better one was refused, and of what offer; null: none. */
  readonly login: { readonly method: string; readonly offer: string } | null;
  /** Seconds since 1970; null when it did not fail. */
  readonly pipeliningFailedAt: number | null;
  readonly utf8FailedAt: number | null;
  /** Before then the server wants no login; null when it did not say. */
  readonly nextLoginAt: number | null;
}

export const nothingLearned: Learned = {
  ...{ login: null, pipeliningFailedAt: null, utf8FailedAt: null, nextLoginAt: null },
};

/** Servers are mended: what failed is tried again after a week. */
const forgottenAfterSeconds = 7 * 86_400;

/** A server that wants more says something else. */
const maxDelaySeconds = 86_400;

export class Experience {
  #learned: Learned;
  #nextLoginAt: number | null = null;
  readonly #remember: (learned: Learned) => Promise<void>;

  /**
   * @param learned what earlier runs found out
   * @param remember makes it known to later ones; its failure only costs the knowledge
   */
  constructor(learned: Learned, remember: (learned: Learned) => Promise<void>) {
    this.#learned = learned;
    this.#remember = remember;
  }

  get mayPipeline(): boolean {
    return isForgotten(this.#learned.pipeliningFailedAt);
  }

  get mayUseUtf8(): boolean {
    return isForgotten(this.#learned.utf8FailedAt);
  }

  /** Seconds until the server wants another login. RFC 2449 §6.5 (LOGIN-DELAY). */
  get waitSeconds(): number {
    return Math.max(0, (this.#learned.nextLoginAt ?? 0) - nowInSeconds());
  }

  /**
   * A login was accepted. What a server announces after it is for this user; before, it may be the
   * longest of all.
   */
  noteLoginDelay(capabilities: Capabilities): void {
    const [text = ''] = capabilities.get('LOGIN-DELAY') ?? [];
    const seconds = /^[0-9]{1,6}$/.test(text) ? Math.min(Number(text), maxDelaySeconds) : 0;
    this.#nextLoginAt = seconds > 0 ? Math.ceil(Date.now() / 1000) + seconds : null;
  }

  /**
   * A login was refused as too early. When it is the first of a run, nobody knows since which other
   * one; a later one of a run that broke off is as good as the next run's first.
   */
  async addTooEarly(capabilities: Capabilities): Promise<void> {
    if (this.#nextLoginAt !== null) return;
    this.noteLoginDelay(capabilities);
    await this.addLoginDelay();
  }

  /**
   * The run has done all that there was to do. After any other the next one may try at once: the
   * server says itself when that is too early.
   */
  async addLoginDelay(): Promise<void> {
    const nextLoginAt = this.#nextLoginAt;
    if (nextLoginAt !== null) await this.#add({ nextLoginAt });
  }

  /** The login method to begin with; null for the usual order, as after any change of the offer. */
  preferredLogin(offer: Offer): string | null {
    const { login } = this.#learned;
    return login?.offer === digestOf(offer) ? login.method : null;
  }

  /** @param wasFirst whether the usual order has it first */
  async addLogin(offer: Offer, method: string, wasFirst: boolean): Promise<void> {
    const login = wasFirst ? null : { method, offer: digestOf(offer) };
    const { login: before } = this.#learned;
    if (before?.method === login?.method && before?.offer === login?.offer) return;
    await this.#add({ login });
  }

  async addPipeliningFailure(): Promise<void> {
    await this.#add({ pipeliningFailedAt: nowInSeconds() });
  }

  async addUtf8Failure(): Promise<void> {
    await this.#add({ utf8FailedAt: nowInSeconds() });
  }

  async #add(change: Partial<Learned>): Promise<void> {
    this.#learned = { ...this.#learned, ...change };
    await this.#remember(this.#learned).catch(() => undefined);
  }
}

function isForgotten(failedAt: number | null): boolean {
  return failedAt === null || nowInSeconds() - failedAt > forgottenAfterSeconds;
}

function nowInSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** 16 hex digits for what a server offers to log in with. */
function digestOf(offer: Offer): string {
  const { capabilities, timestamp, isProtected } = offer;
  const names = [...mechanismsOf(offer)].sort();
  const words = [isProtected, capabilities.has('USER'), timestamp !== null, ...names];
  return createHash('sha256').update(JSON.stringify(words)).digest('hex').slice(0, 16);
}
