// What a command's handler may see of the session it runs in.

import { loginClient, type LoginClient } from '../../auth/accounts/login-client.js';
import type { Link } from '../connection/link.js';
import type { MessageLog } from './message-log.js';
import type { MaildropSession, Service } from './service.js';

export interface SessionContext extends MaildropSession {
  readonly service: Service;
  readonly link: Link;
  /** The client's address, if it is known. */
  readonly peer: string | undefined;
  /** What access rules give the client; undefined when there are none. */
  readonly accessLevel: number | undefined;
  /** The timestamp of the greeting, for APOP; null when it is not offered. RFC 1939 §7. */
  readonly apopTimestamp: string | null;
  /**
   * Sends a SASL challenge. RFC 5034 §4.
   *
   * @returns the line that answers it, without its line end; `too-long` for one over the limit;
   *   null when the session is to end
   */
  readonly ask: (challenge: Buffer) => Promise<Buffer | 'too-long' | null>;
  /**
   * Counts a failed login of the client's network, and waits until it may be answered, unless the
   * client is gone.
   */
  readonly failLogin: () => Promise<void>;
  /**
   * Waits until a right password may be answered: failed logins of the client's network delay that
   * too. Otherwise no answer within a moment would mean that a password was wrong.
   *
   * @returns false when the session is to end instead
   */
  readonly waitForVerdict: () => boolean | Promise<boolean>;
  /** What becomes of single messages, when it is logged. */
  readonly messages: MessageLog | null;
}

/** The client as verifying needs to know it. */
export function loginClientOf({ peer, link, accessLevel, service }: SessionContext): LoginClient {
  return loginClient(peer, {
    isTls: link.tlsVersion !== null,
    service: service.security.isImplicit ? 'pop3s' : 'pop3',
    level: accessLevel ?? null,
  });
}
