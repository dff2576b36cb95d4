// The mechanisms that AUTH offers: which, and one small object for each. SCRAM's is in
// scram-server.ts.

import type { Authenticator, Verdict } from '../accounts/authenticator.js';
import type { LoginClient } from '../accounts/login-client.js';
import {
  challenge,
  rejected,
  type ChannelBindings,
  type SaslExchange,
  type SaslStep,
} from './sasl-mechanism.js';
import { ScramServer } from './scram-server.js';

/** In the order to announce them, the strongest first. */
export const saslMechanismNames = [
  'SCRAM-SHA-256-PLUS',
  'SCRAM-SHA-256',
  'PLAIN',
  'LOGIN',
] as const;

export type SaslMechanismName = (typeof saslMechanismNames)[number];

export interface SaslContext {
  readonly authenticator: Authenticator;
  readonly client?: LoginClient;
  /** Of the TLS connection; null without TLS. */
  readonly channelBindings: ChannelBindings | null;
}

export interface SaslOffer extends SaslContext {
  /** Whether passwords may cross the connection as they are. */
  readonly allowsCleartext: boolean;
}

/** The mechanisms to announce on a connection. */
export async function offeredMechanisms(offer: SaslOffer): Promise<readonly SaslMechanismName[]> {
  const isBound = hasBinding(offer.channelBindings);
  const offersScram = await offer.authenticator.offersScram();
  return saslMechanismNames.filter((name) => {
    switch (name) {
      case 'SCRAM-SHA-256-PLUS':
        return offersScram && isBound;
      case 'SCRAM-SHA-256':
        return offersScram;
      case 'PLAIN':
      case 'LOGIN':
        return offer.allowsCleartext;
    }
  });
}

/** Starts an exchange. @param name one that was offered: nothing is checked here again */
export function createSaslExchange(name: SaslMechanismName, context: SaslContext): SaslExchange {
  switch (name) {
    case 'SCRAM-SHA-256-PLUS':
      return new ScramServer({ ...context, isPlus: true, offersPlus: true });
    case 'SCRAM-SHA-256':
      return new ScramServer({
        ...context,
        isPlus: false,
        offersPlus: hasBinding(context.channelBindings),
      });
    case 'PLAIN':
      return new PlainServer(context);
    case 'LOGIN':
      return new LoginServer(context);
  }
}

function hasBinding(bindings: ChannelBindings | null): boolean {
  return bindings !== null && Object.values(bindings).some((data) => data !== undefined);
}

/** RFC 4616: `[authzid] NUL authcid NUL password`. */
class PlainServer implements SaslExchange {
  readonly #context: SaslContext;

  constructor(context: SaslContext) {
    this.#context = context;
  }

  start(initialResponse: Buffer | null): Promise<SaslStep> {
    return initialResponse === null
      ? Promise.resolve(challenge(''))
      : this.respond(initialResponse);
  }

  async respond(response: Buffer): Promise<SaslStep> {
    const first = response.indexOf(0);
    const second = response.indexOf(0, first + 1);
    if (first === -1 || second === -1) return rejected('malformed PLAIN message', null);
    const authzid = response.subarray(0, first);
    const authcid = response.subarray(first + 1, second);
    if (authzid.length > 0 && !authzid.equals(authcid)) {
      return rejected('asked to act as another user', authcid);
    }
    const password = response.subarray(second + 1);
    return stepOf(await verify(this.#context, authcid, password), authcid);
  }
}

/** draft-murchison-sasl-login: two questions whose texts clients ignore, or should. */
class LoginServer implements SaslExchange {
  readonly #context: SaslContext;
  #name: Buffer | null = null;

  constructor(context: SaslContext) {
    this.#context = context;
  }

  start(initialResponse: Buffer | null): Promise<SaslStep> {
    return initialResponse === null
      ? Promise.resolve(challenge('Username:'))
      : this.respond(initialResponse);
  }

  async respond(response: Buffer): Promise<SaslStep> {
    if (this.#name === null) {
      this.#name = response;
      return challenge('Password:', response);
    }
    return stepOf(await verify(this.#context, this.#name, response), this.#name);
  }
}

function verify(
  { authenticator, client }: SaslContext,
  name: Buffer,
  password: Buffer,
): Promise<Verdict> {
  return authenticator.verifyPassword(name, password, client);
}

function stepOf(verdict: Verdict, name: Buffer): SaslStep {
  switch (verdict.verdict) {
    case 'accepted':
      return { step: 'accepted', identity: verdict.identity, grant: verdict.grant };
    case 'rejected':
      return rejected(verdict.reason, name);
    case 'unavailable':
      return { ...verdict, step: 'unavailable', name };
  }
}
