// What a run did: counts, and each message that did not make it.

import type { ExitCode } from '../../system/failures/exit-code.js';
import { exitCode } from '../../system/failures/exit-code.js';

export interface FailedMessage {
  readonly number: number;
  readonly uniqueId: string | null;
  readonly reason: string;
}

export interface Summary {
  readonly account: string;
  /** `host:port` of the server, once one was found. */
  server: string | null;
  tls: boolean;
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
  /** Messages left on the server on purpose. */
  kept: number;
  /** Messages on the server when the run ended, those left there on purpose included; null when that is not known. */
  left: number | null;
  /** No answer to QUIT: whether the deletions were carried out is settled by the next run. */
  undecided: boolean;
  readonly failed: FailedMessage[];
  /** What ended the run early; null when nothing did. */
  error: string | null;
  seconds: number;
  exit: ExitCode;
}

export function newSummary(account: string): Summary {
  return {
    account,
    server: null,
    tls: false,
    login: null,
    listed: 0,
    stored: 0,
    octets: 0,
    known: 0,
    deleted: 0,
    kept: 0,
    left: null,
    undecided: false,
    failed: [],
    error: null,
    seconds: 0,
    exit: exitCode.ok,
  };
}
