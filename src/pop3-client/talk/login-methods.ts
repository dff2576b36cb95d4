// The ways to log in, in the order in which they are tried. RFC 1939 §7 (USER, PASS, APOP), RFC
// 5034, RFC 7677.

import { createHash } from 'node:crypto';
import type { Response } from '../../wire/response.js';
import type { PasswordMode } from '../settings/settings.js';
import type { Capabilities, Pop3Client } from './client.js';
import { authenticate, type SaslLogin } from './sasl-login.js';

const lineEnd = Buffer.from('\r\n');

export interface Credentials {
  readonly user: string;
  /** Octets in any encoding; SCRAM alone needs UTF-8. */
  readonly password: Buffer;
}

/** What a server said before the login. */
export interface Offer {
  /** Empty for a server without CAPA. */
  readonly capabilities: Capabilities;
  /** APOP's timestamp out of the greeting; null when it had none. */
  readonly timestamp: string | null;
  readonly isProtected: boolean;
  readonly peer: {
    /** As it was asked for, not as DNS named it. */
    readonly host: string;
    readonly port: number;
    readonly isLoopback: boolean;
  };
}

/** The tries of one login, over as many connections as it takes. */
export interface LoginAttempts {
  /**
   * Tries what is left to try, each once.
   *
   * @returns what was accepted; null when the connection was closed and a new one may do
   * @throws Refused for wrong credentials, or no usable method; TemporaryError when the server says
   *   to try again; ConnectionClosed when nothing is left for a new connection
   */
  tryOn(client: Pop3Client, offer: Offer): Promise<Accepted | null>;
}

/** A login that was accepted. */
export interface Accepted {
  /** The method, for people. */
  readonly name: string;
  /** What to prefer the next time. */
  readonly key: string;
  /** Whether it is the one to begin with anyway. */
  readonly isBest: boolean;
}

export interface LoginMethod {
  readonly name: PasswordMode;
  /** As the name; ways of one name are told apart. At most 40 octets, no blanks. */
  readonly key: string;
  /** Whether the server gets the password: its refusal then says that the password is wrong. */
  readonly tellsPassword: boolean;
  /** Whether `--auth auto` tries it. */
  readonly isOffered: (offer: Offer) => boolean;
  /** @returns the server's last word. @throws what `authenticate` throws */
  readonly attempt: (
    client: Pop3Client,
    credentials: Credentials,
    offer: Offer,
  ) => Promise<Response>;
}

/**
 * All of them, best first. After a refusal the next one that is offered gets one try: a server may
 * keep this password in a form that SCRAM or APOP cannot use, know AUTH only without an initial
 * response, or stand behind a proxy whose CAPA announces what it has not got. At most three are
 * offered at a time, so a wrong password costs three attempts at most.
 */
export const loginMethods: readonly LoginMethod[] = [
  {
    ...{ name: 'scram-sha-256', key: 'scram-sha-256' },
    tellsPassword: false,
    isOffered: hasScram,
    attempt: saslLogin('scram-sha-256', 'with AUTH'),
  },
  {
    ...{ name: 'apop', key: 'apop' },
    tellsPassword: false,
    // Under TLS the password itself is no secret to the server, and MD5 protects it badly.
    isOffered: (offer) => !offer.isProtected && offer.timestamp !== null && !hasScram(offer),
    attempt: async (client, { user, password }, { timestamp }) => {
      const digest = createHash('md5')
        .update(timestamp ?? '')
        .update(password);
      return client.exchange('APOP', user, digest.digest('hex'));
    },
  },
  {
    ...{ name: 'plain', key: 'plain' },
    tellsPassword: true,
    isOffered: hasPlain,
    attempt: saslLogin('plain', 'with AUTH'),
  },
  {
    ...{ name: 'user', key: 'user' },
    tellsPassword: true,
    isOffered: hasUser,
    attempt: async (client, { user, password }) => {
      const response = await client.exchange('USER', user);
      if (!response.isOk) return response;
      return client.exchangeLine(Buffer.concat([Buffer.from('PASS '), password, lineEnd]));
    },
  },
  {
    ...{ name: 'plain', key: 'plain-after-auth' },
    tellsPassword: true,
    isOffered: (offer) => hasPlain(offer) && !hasUser(offer),
    attempt: saslLogin('plain', 'after AUTH'),
  },
];

function saslLogin(
  mechanism: SaslLogin['mechanism'],
  initialResponse: SaslLogin['initialResponse'],
): LoginMethod['attempt'] {
  return async (client, { user, password }, offer) =>
    authenticate(client, {
      ...{ mechanism, initialResponse, username: user, password },
      offered: mechanismsOf(offer),
    });
}

/** The SASL mechanisms that the server announced, upper-cased. */
export function mechanismsOf({ capabilities }: Offer): readonly string[] {
  return (capabilities.get('SASL') ?? []).map((name) => name.toUpperCase());
}

/** APOP's timestamp: an RFC 822 msg-id in the greeting. RFC 1939 §7. */
export function findTimestamp(greeting: string): string | null {
  return /<[!-;=?-~]+@[!-;=?-~]+>/.exec(greeting)?.[0] ?? null;
}

function hasScram(offer: Offer): boolean {
  return mechanismsOf(offer).some((name) => name.startsWith('SCRAM-SHA-256'));
}

function hasPlain(offer: Offer): boolean {
  return mechanismsOf(offer).includes('PLAIN');
}

/**
 * A server without CAPA can only be asked with what every server knows; under TLS one that names no
 * way at all, too.
 */
function hasUser(offer: Offer): boolean {
  const { capabilities, isProtected } = offer;
  if (capabilities.size === 0 || capabilities.has('USER')) return true;
  return isProtected && mechanismsOf(offer).length === 0;
}
