// The ways of giving an accepted connection away: process-per-connection.ts and worker-pool.ts. The
// launcher's own copy is closed and never read, so that every octet, and the end of the connection,
// belong to the program.

import type { Socket } from 'node:net';
import type { ProgramEnd } from '../../run-file/start-program.js';
import type { ProgramNews } from '../../worker/session-news.js';
import type { ClientRating, ConnectionFacts } from './connection-facts.js';

/** A connection that was let in. */
export interface AdmittedConnection extends ClientRating {
  /** Paused since it was accepted. */
  readonly socket: Socket;
  readonly facts: ConnectionFacts;
  /** What failed logins are counted for: the client's IPv4 address or /64. */
  readonly source: string;
  /** Gets what the program tells, if it does. */
  readonly hear: (news: ProgramNews) => void;
  /** Called while no worker has room for it: a session that has not logged in might end for it. */
  readonly onNoRoom: () => void;
}

export interface Session {
  readonly pid: number;
  /** Never rejects. */
  readonly ended: Promise<ProgramEnd>;
  /** Ends it if it has not logged in; undefined when it would not tell whether it has. */
  readonly evict: (() => void) | undefined;
  /** Ends it, logged in or not. */
  readonly kick: () => void;
  /** Whether its program still has to start, and tells when it has. */
  readonly isStarting: boolean;
}

export interface HandOver {
  /** Whether a session costs a process: a hundred times what a connection costs the client. */
  readonly isCostly: boolean;
  /**
   * Gives the connection away and closes the launcher's copy of it.
   *
   * @throws when nobody took it (RunFileError, or the system's error); the connection is then still
   *   the caller's, to close
   */
  serve(connection: AdmittedConnection): Promise<Session>;
}
