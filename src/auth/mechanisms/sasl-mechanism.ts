// What a SASL mechanism is to the session that drives it (RFC 4422 §3, RFC 5034 §4). The session
// does base64, `=`, `*` and line lengths; a mechanism sees octets and knows nothing of POP3.

import type { Accepted, Unavailable } from '../accounts/authenticator.js';

export type SaslStep =
  /** To be sent; the answer goes to `respond`. May be empty. */
  | {
      readonly step: 'challenge';
      readonly challenge: Buffer;
      /** The user that the client has named, once it has. */
      readonly about?: Buffer;
      /** The challenge shows the client that its password is right. */
      readonly tellsVerdict?: true;
    }
  | ({ readonly step: 'accepted' } & Accepted)
  /**
   * The client must not learn why; `reason` and the name it gave (null: none yet) are for the log.
   */
  | { readonly step: 'rejected'; readonly reason: string; readonly name: Buffer | null }
  | ({ readonly step: 'unavailable'; readonly name: Buffer | null } & Unavailable);

/**
 * One authentication exchange. Any step but a challenge ends it; it is not used afterwards. Neither
 * method rejects.
 */
export interface SaslExchange {
  /**
   * Begins.
   *
   * @param initialResponse null when the client sent none; an empty one (`=`) is an empty Buffer
   */
  start(initialResponse: Buffer | null): Promise<SaslStep>;
  /** Goes on with the client's answer to the last challenge. */
  respond(response: Buffer): Promise<SaslStep>;
}

/**
 * Data that ties an exchange to its TLS connection, by type; a type that the connection cannot give
 * is absent.
 */
export interface ChannelBindings {
  /** RFC 9266. */
  readonly 'tls-exporter'?: Buffer | undefined;
  /** RFC 5929 §4. */
  readonly 'tls-server-end-point'?: Buffer | undefined;
}

export function challenge(text: string | Buffer, about?: Buffer): SaslStep {
  return {
    step: 'challenge',
    challenge: Buffer.from(text),
    ...(about === undefined ? {} : { about }),
  };
}

export function rejected(reason: string, name: Buffer | null): SaslStep {
  return { step: 'rejected', reason, name };
}
