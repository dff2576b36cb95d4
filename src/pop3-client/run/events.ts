// What happens in a run, for whoever shows, logs or counts it. A run has one sink for them.

import type { Entry } from '../talk/listing.js';

export type RunEvent =
  /** The login was accepted. */
  | {
      readonly kind: 'login';
      readonly server: string;
      readonly isProtected: boolean;
      readonly method: string;
    }
  /** A session listed the mailbox. */
  | { readonly kind: 'listing'; readonly messages: number; readonly ignoredLines: number }
  /** How long the server keeps mail, in days; Infinity: for good. RFC 2449 §6.7. */
  | { readonly kind: 'expire'; readonly days: number }
  /** A session will fetch this much. */
  | { readonly kind: 'plan'; readonly messages: number; readonly octets: number }
  /** Octets of messages as they come in. */
  | { readonly kind: 'octets'; readonly octets: number }
  /** A message was put into the Maildir. */
  | { readonly kind: 'stored'; readonly octets: number }
  /**
   * A message was in the Maildir before the run. `id` is the same for the same message in every
   * session.
   */
  | { readonly kind: 'known'; readonly id: string }
  /**
   * A message that did not make it, or that could not be deleted. The first time for each message
   * counts.
   */
  | { readonly kind: 'left'; readonly entry: Entry; readonly reason: string }
  /** A session ended early and another follows. */
  | { readonly kind: 'session-ended'; readonly reason: string };

export type Emit = (event: RunEvent) => void;
