// An accepted connection, and how far it is.

import type { Socket } from 'node:net';
import type { ProcessStart } from '../fairness/process-starts.js';
import type { ConnectionFacts } from '../handing-over/connection-facts.js';
import type { ProxyHeader } from '../listening/proxy-header.js';
import type { HandOver, Session } from '../handing-over/hand-over.js';

/** What the access rules say of an address. */
export interface Verdict {
  /** 0: denied. */
  readonly level: number;
  /** The line of the rule that decided; undefined when none did. */
  readonly line: number | undefined;
}

/** How far a client is. */
export type Stage =
  | { readonly stage: 'waiting' }
  /** It has a slot. `start`: of its process; undefined where a kept worker is asked. */
  | { readonly stage: 'starting'; readonly start: ProcessStart | undefined }
  | { readonly stage: 'served'; readonly session: Session }
  | { readonly stage: 'logged-in' }
  /** Its session is ended, or not begun, because `successor` needs the slot. */
  | { readonly stage: 'leaving'; readonly successor: Client };

/** How a connection came. */
export interface Arrival {
  /** Gives connections of that listener away. */
  readonly handOver: HandOver;
  /** The listener's port, where there are several. */
  readonly port: number | undefined;
  /** What a trusted proxy sent before it; null for a connection that came by itself. */
  readonly header: ProxyHeader | null;
}

export interface Client {
  /** Counts accepted connections, this one included. */
  readonly number: number;
  readonly socket: Socket;
  readonly arrival: Arrival;
  readonly facts: ConnectionFacts;
  readonly verdict: Verdict;
  readonly level: number;
  readonly source: string;
  at: Stage;
}
