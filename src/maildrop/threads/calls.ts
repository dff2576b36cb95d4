// What a session's thread and a thread for mail say to each other. A maildrop is a number; so is a
// message, its index.

import { CountingStopped } from '../messages/counting-stopped.js';
import { MaildropRefused } from '../messages/maildrop-refused.js';
import type { Octets } from '../messages/octets.js';
import { UnservableMessage } from '../messages/unservable-message.js';
import type { MaildropSettings } from '../opened/open-place.js';
import type { Owner } from '../place/maildrop-owner.js';
import type { Place } from '../place/place.js';

/** For each call: what it is given, and what it comes to. */
export interface Calls {
  /** As `ownerOf`. */
  owner: [Place, Owner];
  open: [MaildropSettings, Opened];
  refresh: [null, null];
  /** Null: all. */
  measure: [number | null, null];
  measureForSending: [{ readonly index: number; readonly fileBytes: number }, number];
  assignUniqueIds: [null, null];
  openMessage: [number, OpenedMessage | null];
  /** The next bytes of the open message; fewer only at its end. */
  read: [number, Uint8Array];
  closeMessage: [null, null];
  requireServable: [number, null];
  correctOctets: [{ readonly index: number; readonly octets: number }, null];
  noteRetrieved: [number, null];
  /** The marked messages. */
  update: [readonly number[], Removed];
  /** Nobody waits for the call that runs. */
  stop: [null, null];
  close: [null, null];
}

export interface Opened {
  /** Of all messages, by index. */
  readonly baseNames: readonly string[];
  readonly changes: Changes | null;
}

export interface OpenedMessage {
  readonly fileBytes: number;
  readonly start: Uint8Array;
}

export interface Removed {
  readonly removed: readonly number[];
  readonly failures: readonly { readonly index: number; readonly failure: Failure }[];
}

export type Call = {
  [What in keyof Calls]: { readonly what: What; readonly given: Calls[What][0] };
}[keyof Calls];

/** Answered by `pong` as soon as the thread is in no call of the system. */
export const ping = 'ping';
export type Request = typeof ping | ({ readonly id: number; readonly maildrop: number } & Call);

export type Answer =
  | 'ready'
  | 'pong'
  | { readonly maildrop: number; readonly event: string; readonly fields: ReportFields }
  | {
      readonly id: number;
      readonly result: { readonly value: unknown } | { readonly failure: Failure };
      readonly changes: Changes | null;
    };

export type ReportFields = Readonly<Record<string, string | number>>;

/** What became of messages since the last answer: lists of equal length. */
export interface Changes {
  readonly indexes: number[];
  readonly areGone: boolean[];
  readonly octets: Octets[];
  readonly uniqueIds: (string | null)[];
}

/** An error, with what the session asks of it. */
export interface Failure {
  readonly kind: keyof typeof classes | null;
  readonly message: string;
  readonly code: string | undefined;
}

const classes = {
  refused: MaildropRefused,
  stopped: CountingStopped,
  unservable: UnservableMessage,
} as const;

export function failureOf(error: unknown): Failure {
  const { message, code } = error as NodeJS.ErrnoException;
  const kinds = Object.keys(classes) as (keyof typeof classes)[];
  return { kind: kinds.find((kind) => error instanceof classes[kind]) ?? null, message, code };
}

export function errorOf({ kind, message, code }: Failure): Error {
  const error = new (kind === null ? Error : classes[kind])(message);
  return code === undefined ? error : Object.assign(error, { code });
}
