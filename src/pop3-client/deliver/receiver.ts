// Whoever takes messages that do not stay here: an LMTP server, a command, Gmail. Knows nothing of
// POP3 or journals.

import type { OutgoingMessage } from './outgoing-message.js';

/** What became of a message that was handed over. */
export type Verdict =
  /** The receiver has it now. */
  | { readonly kind: 'accepted' }
  /** It wants it neither now nor later (`refused`), or not now (`later`). It has not got it. */
  | { readonly kind: 'refused' | 'later'; readonly reason: string }
  /** It may have it: what it said after the message's end was lost. */
  | { readonly kind: 'undecided'; readonly reason: string };

export interface Receiver {
  /** For errors and reports: `lmtp:mail.example.org:24`. */
  readonly name: string;
  /**
   * Finds out before the login whether there is a receiver.
   *
   * @throws ConfigurationError, TemporaryError
   */
  open(): Promise<void>;
  /**
   * One message at a time.
   *
   * @throws StoreFailure when there is no point in trying another one, ConfigurationError when
   *   there is none later either
   */
  hand(message: OutgoingMessage): Promise<Verdict>;
  close(): void;
}
