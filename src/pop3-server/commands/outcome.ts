// What a command comes to. Handlers return outcomes; only the session writes.

import type { MessageRecord } from '../../maildrop/messages/maildrop.js';
import type { MessageNumber } from '../../wire/message-number.js';
import type { ResponseCode } from '../../wire/response.js';
import type { Login } from './session-state.js';
import type { TextValues } from '../texts/texts.js';

export type Outcome =
  /** A positive status line. */
  | { readonly kind: 'ok'; readonly text: string; readonly values?: TextValues }
  /** A negative one. `isBad` counts against the peer: what was sent is no command of POP3 at all. */
  | ErrorOutcome
  /** A positive status line, then lines, then the terminator. The lines hold no line ends and start with no dot. */
  | {
      readonly kind: 'listing';
      readonly text: string;
      readonly values?: TextValues;
      readonly lines: Iterable<string>;
    }
  /** A message, or its top. */
  | {
      readonly kind: 'message';
      readonly record: MessageRecord;
      readonly number: MessageNumber;
      /** Body lines for TOP; null for all of it. */
      readonly bodyLines: number | null;
    }
  /** A positive status line; the session goes on in TRANSACTION. */
  | { readonly kind: 'enter-transaction'; readonly login: Login }
  /** A SASL challenge: the next line is the answer to it, not a command. RFC 5034 §4. */
  | {
      readonly kind: 'challenge';
      readonly challenge: Buffer;
      readonly respond: (line: Buffer) => Promise<Outcome>;
    }
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
  readonly isBad?: true;
  /** A login was refused: counted, and answered with delay. */
  readonly isFailedLogin?: true;
}

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
