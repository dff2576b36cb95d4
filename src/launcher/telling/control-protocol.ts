// What tcpsrun and pop3ctl say to each other over the socket of `--control`: a line of JSON each,
// then the connection is closed. pop3ctl(8).

import type { Counters } from './metrics.js';

export type ControlRequest =
  | { readonly command: 'who' }
  /** `whom`: a session's number, a client's address, or a user. */
  | { readonly command: 'kick'; readonly whom: string }
  | { readonly command: 'counters' };

/** A session that is running. */
export interface PresentSession {
  /** Counts accepted connections. */
  readonly id: number;
  readonly peer: string;
  readonly port: number;
  /** The listener's port, where there are several. */
  readonly on: number | null;
  readonly level: number;
  readonly pid: number;
  readonly seconds: number;
  /** Null before the login; `?` where the program does not tell as whom. */
  readonly user: string | null;
}

export type ControlReply =
  /** To `who`, and to `kick` those that were told to end. */
  | { readonly sessions: readonly PresentSession[] }
  | { readonly counters: Counters }
  | { readonly error: string };

/** @returns null for anything else */
export function tryControlRequest(line: string): ControlRequest | null {
  let request: unknown;
  try {
    request = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof request !== 'object' || request === null) return null;
  const { command, whom } = request as Record<string, unknown>;
  if (command === 'who' || command === 'counters') return { command };
  return command === 'kick' && typeof whom === 'string' ? { command, whom } : null;
}
