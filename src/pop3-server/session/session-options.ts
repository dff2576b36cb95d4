// What a session is started with beside its connection and its service.

import type { Starter } from './starter.js';

export interface SessionOptions {
  /** Identifies the session in the log. */
  readonly id: string;
  /** The peer's address for the log, if there is one. */
  readonly peer: string | undefined;
  /** The version of the TLS that the client speaks to a trusted proxy; else null or absent. */
  readonly proxiedTls?: string | null;
  readonly accessLevel: number | undefined;
  /** Whether the greeting was sent before the session was made. */
  readonly isGreeted: boolean;
  /** The timestamp in the greeting, when APOP is offered. */
  readonly apopTimestamp: string | null;
  readonly starter: Starter;
}
