// What a command comes to. Handlers return outcomes; only the session writes.

import type { Maildrop, MessageRecord } from '../../maildrop/messages/maildrop.js';
import type { MessageNumber } from '../../wire/message-number.js';
import type { ResponseCode } from '../../wire/response.js';
import type { Login } from './session-state.js';
import type { TextValues } from '../texts/texts.js';

/** What is answered, and nothing else happens. */
export type Reply =
  /** A positive status line. */
  | { readonly kind: 'ok'; readonly text: string; readonly values?: TextValues }
  /** A negative one. */
  | ErrorOutcome
  /**
   * A positive status line, then lines, then the terminator. The lines hold no line ends and start
   * with no dot.
   */
  | {
      readonly kind: 'listing';
      readonly text: string;
      readonly values?: TextValues;
      readonly lines: Iterable<string>;
    }
  /** A message, or its top. */
  | {
      readonly kind: 'message';
      readonly maildrop: Maildrop;
      readonly record: MessageRecord;
      readonly number: MessageNumber;
      /** Body lines for TOP; null for all of it. */
      readonly bodyLines: number | null;
    };

export type Outcome =
  | Reply
  /** A positive status line; the session goes on in TRANSACTION. */
  | { readonly kind: 'enter-transaction'; readonly login: Login }
  /** No reply: the session is to end before the command could. */
  | { readonly kind: 'broken-off' }
  /** A positive status line; then the session starts anew under TLS. RFC 2595 §4. */
  | { readonly kind: 'start-tls' }
  /** The texts change, and the reply is in the new ones. RFC 6856 §3. */
  | { readonly kind: 'change-language'; readonly tag: string }
  /** The last reply. */
  | {
      readonly kind: 'quit';
      readonly isOk: boolean;
      readonly text: string;
      readonly values?: TextValues;
      readonly code?: ResponseCode;
      /** Messages that UPDATE removed. */
      readonly removedCount: number;
    };

export interface ErrorOutcome {
  readonly kind: 'error';
  readonly text: string;
  readonly values?: TextValues;
  readonly code?: ResponseCode;
  /** Counts against the peer: what was sent is no command of POP3 at all. */
  readonly isBad?: true;
}

export const lineTooLong: ErrorOutcome = { kind: 'error', text: 'line-too-long', isBad: true };

export const unknownCommand: ErrorOutcome = { kind: 'error', text: 'unknown-command', isBad: true };

export function ok(text: string, values?: TextValues): Outcome {
  return values === undefined ? { kind: 'ok', text } : { kind: 'ok', text, values };
}

export function error(text: string, values?: TextValues, code?: ResponseCode): ErrorOutcome {
  return {
    kind: 'error',
    text,
    ...(values === undefined ? {} : { values }),
    ...(code === undefined ? {} : { code }),
  };
}
