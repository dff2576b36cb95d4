// What a run did: counts, and each message that did not make it.

import { exitCode, type ExitCode } from '../../system/failures/exit-code.js';
import type { RunEvent } from './events.js';
import type { SessionResult } from './session.js';
import { nameOf } from './session-plan.js';

export interface FailedMessage {
  readonly number: number;
  readonly uniqueId: string | null;
  readonly reason: string;
}

export interface Summary {
  readonly account: string;
  /** `host:port` of the server, once one was found. */
  server: string | null;
  /** Null as long as no login was accepted. */
  tls: boolean | null;
  login: string | null;
  /** Messages on the server, as first listed. */
  listed: number;
  /** Messages that this run put into the Maildir, and their octets as sent. */
  stored: number;
  octets: number;
  /** Messages that were there already. */
  known: number;
  /** Messages that the server said it removed. */
  deleted: number;
  /**
   * Messages that were stored though the server may have been out of step; it was not told to
   * delete them.
   */
  doubtful: number;
  /** Messages left on the server on purpose. */
  kept: number;
  /**
   * Messages on the server when the run ended, those left there on purpose included; null when that
   * is not known.
   */
  left: number | null;
  /** After how many days the server removes mail by itself; null when it does not say. */
  expire: number | 'never' | null;
  /** No answer to QUIT: whether the deletions were carried out is settled by the next run. */
  undecided: boolean;
  readonly failed: FailedMessage[];
  /** What ended the run early; null when nothing did. */
  error: string | null;
  /** The server wants no login yet: nothing is wrong. */
  tooEarly: boolean;
  seconds: number;
  exit: ExitCode;
}

/** Makes the summary of what happens. */
export class SummaryKeeper {
  readonly summary: Summary;
  readonly #left = new Set<string>();
  readonly #known = new Set<string>();

  constructor(account: string) {
    this.summary = {
      ...{ account, server: null, tls: null, login: null },
      ...{ listed: 0, stored: 0, octets: 0, known: 0, deleted: 0, doubtful: 0, kept: 0 },
      ...{
        left: null,
        expire: null,
        undecided: false,
        failed: [],
        error: null,
        tooEarly: false,
        seconds: 0,
        exit: exitCode.ok,
      },
    };
  }

  /** Whether every message was transferred, and QUIT answered. */
  get isComplete(): boolean {
    return this.summary.failed.length === 0 && !this.summary.undecided;
  }

  /** @returns false for what was counted before */
  count(event: RunEvent): boolean {
    const { summary } = this;
    switch (event.kind) {
      case 'login':
        summary.server = event.server;
        summary.tls = event.isProtected;
        summary.login = event.method;
        return true;
      case 'listing':
        if (summary.listed === 0) summary.listed = event.messages;
        // Without an answered QUIT the server removes nothing; `finish` takes off what it removed.
        summary.left = event.messages + event.ignoredLines;
        return true;
      case 'stored':
        summary.stored += 1;
        summary.octets += event.octets;
        return true;
      case 'known':
        summary.known = this.#known.add(event.id).size;
        return true;
      case 'left': {
        const { entry, reason } = event;
        const name = nameOf(summary.account, entry);
        if (this.#left.has(name)) return false;
        this.#left.add(name);
        summary.failed.push({ number: entry.number, uniqueId: entry.uniqueId, reason });
        return true;
      }
      case 'expire':
        summary.expire = event.days === Infinity ? 'never' : event.days;
        return true;
      case 'octets':
      case 'plan':
      case 'session-ended':
        return true;
    }
  }

  /** A session came to its end. */
  finish({ settlement, doubtful, keptCount }: SessionResult): void {
    const { summary } = this;
    const deleted = settlement.quit === 'done' ? settlement.marked.length : 0;
    summary.deleted += deleted;
    summary.doubtful += doubtful.size;
    summary.kept = keptCount;
    if (summary.left !== null) summary.left -= deleted;
    if (doubtful.size > 0) summary.left = null;
    if (settlement.quit !== 'undecided') return;
    summary.left = null;
    summary.undecided = true;
    summary.error = `no answer to QUIT (${settlement.reason}): the next run finds out what was deleted`;
  }
}
