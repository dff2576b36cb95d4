// What every session of a process shares: the things that a session is given and does not make.

import type { Accepted, Authenticator } from '../../auth/accounts/authenticator.js';
import type { ShouldStop } from '../../maildrop/messages/counting-stopped.js';
import type { Maildrop } from '../../maildrop/messages/maildrop.js';
import type { Log } from '../../system/log/log.js';
import type { LogFields } from '../../system/log/log-line.js';
import type { Security } from '../connection/link.js';

export interface Service {
  /** Loaded at the first login: the greeting does not wait for a database. */
  readonly authenticator: () => Promise<Authenticator>;

  /**
   * Opens a user's maildrop, as whoever owns it.
   *
   * @throws MaildropRefused for one that must not be served; the system's error for one that cannot
   *   be opened now
   */
  readonly openMaildrop: (user: Accepted, session: MaildropSession) => Promise<Maildrop>;

  /** Remembers a login. Never waits and never throws. */
  readonly noteLogin?: (login: NotedLogin) => void;

  readonly security: Security;
  readonly limits: SessionLimits;
  /** Whether the log tells what became of each message. */
  readonly logsMessages?: boolean;
  readonly log: Log;
}

/** A login whose password was right. */
export interface NotedLogin {
  readonly accepted: Accepted;
  readonly mechanism: string;
  readonly peer: string | undefined;
  /** The version; null in the clear. */
  readonly tlsVersion: string | null;
}

/** What a maildrop may ask and tell the session that opened it. */
export interface MaildropSession {
  /** Whether nobody waits for what a command is finding out. */
  readonly shouldStop: ShouldStop;
  readonly report: (event: string, fields: LogFields) => void;
}

/** Times in milliseconds; the times can be set, see pop3d(8). */
export interface SessionLimits {
  /** From the greeting to the login; what arrives in between does not extend it. */
  readonly loginTimeoutMs: number;
  /** Between commands, and for each step of sending. RFC 1939 §3 wants 10 minutes at least. */
  readonly idleTimeoutMs: number;
  /** From the first octet of TLS to its last handshake message. */
  readonly handshakeTimeoutMs: number;
  /**
   * From the command to the reply, for the first failed login; later ones wait longer, see
   * failure-delay.ts.
   */
  readonly failureDelayMs: number;
  readonly maxBadCommandsBeforeLogin: number;
  readonly maxBadCommandsAfterLogin: number;
  readonly maxFailedLogins: number;
}

export const defaultLimits: SessionLimits = {
  loginTimeoutMs: 180_000,
  idleTimeoutMs: 600_000,
  handshakeTimeoutMs: 30_000,
  failureDelayMs: 2000,
  maxBadCommandsBeforeLogin: 3,
  maxBadCommandsAfterLogin: 20,
  maxFailedLogins: 10,
};
