// The server's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677). Unknown users go
// through the same exchange with made-up credentials and fail at its end.

import { randomBytes } from 'node:crypto';
import type { Authenticator, ScramLookup } from '../accounts/authenticator.js';
import type { LoginClient } from '../accounts/login-client.js';
import {
  challenge,
  rejected,
  type ChannelBindings,
  type SaslExchange,
  type SaslStep,
} from './sasl-mechanism.js';
import { saslprep } from '../stored/saslprep.js';
import { isClientProof, serverSignature } from '../stored/scram-keys.js';
import {
  authMessage,
  formatServerFirst,
  tryClientFinal,
  tryClientFirst,
  type ChannelBindingFlag,
  type ClientFirst,
} from './scram-messages.js';

export interface ScramServerOptions {
  readonly authenticator: Authenticator;
  readonly client?: LoginClient;
  readonly channelBindings: ChannelBindings | null;
  /** Whether this is the exchange of SCRAM-SHA-256-PLUS. */
  readonly isPlus: boolean;
  /** Whether SCRAM-SHA-256-PLUS was announced to this client. */
  readonly offersPlus: boolean;
  /** Makes the server's part of the nonce; for tests. */
  readonly makeNonce?: () => string;
}

type Waiting =
  | { readonly for: 'client-first' }
  | {
      readonly for: 'client-final';
      readonly first: ClientFirst;
      readonly serverFirst: string;
      readonly nonce: string;
      /** What `c=` has to hold. */
      readonly binding: Buffer;
      readonly lookup: Exclude<ScramLookup, { found: 'unavailable' }>;
      readonly name: Buffer;
    }
  /** The signature is out; the client answers it with nothing (RFC 5034 §4 has no success data). */
  | { readonly for: 'acknowledgement'; readonly outcome: SaslStep };

export class ScramServer implements SaslExchange {
  readonly #options: ScramServerOptions;
  #waiting: Waiting = { for: 'client-first' };

  constructor(options: ScramServerOptions) {
    this.#options = options;
  }

  start(initialResponse: Buffer | null): Promise<SaslStep> {
    return initialResponse === null
      ? Promise.resolve(challenge(''))
      : this.respond(initialResponse);
  }

  respond(response: Buffer): Promise<SaslStep> {
    const waiting = this.#waiting;
    switch (waiting.for) {
      case 'client-first':
        return this.#answerFirst(response);
      case 'client-final':
        return Promise.resolve(this.#answerFinal(waiting, response));
      case 'acknowledgement':
        return Promise.resolve(
          response.length === 0 ? waiting.outcome : rejected('text after the last message', null),
        );
    }
  }

  async #answerFirst(response: Buffer): Promise<SaslStep> {
    const first = tryClientFirst(response);
    if (first === null) return rejected('malformed SCRAM message', null);
    const sent = Buffer.from(first.username);
    const name = (await saslprep(sent, 'query')) ?? sent;
    if (first.authzid !== null && first.authzid !== first.username) {
      return rejected('asked to act as another user', name);
    }
    const bound = this.#bindingData(first.binding);
    if (typeof bound === 'string') return rejected(bound, name);
    const { authenticator, client } = this.#options;
    const lookup = await authenticator.lookUpScram(name, client);
    if (lookup.found === 'unavailable') {
      return { ...lookup, step: 'unavailable', name };
    }
    const nonce = first.nonce + (this.#options.makeNonce ?? makeNonce)();
    const { salt, iterations } = lookup.credentials;
    const serverFirst = formatServerFirst({ nonce, salt, iterations });
    const binding = Buffer.concat([Buffer.from(first.gs2Header), bound]);
    this.#waiting = { for: 'client-final', first, serverFirst, nonce, binding, lookup, name };
    return challenge(serverFirst, name);
  }

  #answerFinal(waiting: Extract<Waiting, { for: 'client-final' }>, response: Buffer): SaslStep {
    const { first, serverFirst, nonce, binding, lookup, name } = waiting;
    const final = tryClientFinal(response);
    if (final === null) return rejected('malformed SCRAM message', name);
    if (final.nonce !== nonce) return rejected('SCRAM nonce differs', name);
    if (!final.binding.equals(binding)) return rejected('channel binding differs', name);
    const signed = authMessage(first.bare, serverFirst, final.withoutProof);
    const isProofOf = ({ storedKey }: { readonly storedKey: Buffer }): boolean =>
      isClientProof(storedKey, signed, final.proof);
    if (lookup.found === 'decoy') {
      isProofOf(lookup.credentials);
      return rejected(lookup.reason, name);
    }
    const [proven] = lookup.passwords.filter(isProofOf);
    if (proven?.refusal !== null) return rejected(proven?.refusal ?? lookup.mismatch, name);
    this.#waiting = {
      for: 'acknowledgement',
      outcome: { step: 'accepted', identity: lookup.identity, grant: proven.grant },
    };
    const signature = serverSignature(proven.serverKey, signed).toString('base64');
    return {
      step: 'challenge',
      challenge: Buffer.from(`v=${signature}`),
      about: name,
      tellsVerdict: true,
    };
  }

  /** The data that the client has to have bound, or why its flag is refused (RFC 5802 §6). */
  #bindingData(binding: ChannelBindingFlag): Buffer | string {
    const { isPlus, offersPlus, channelBindings } = this.#options;
    switch (binding.flag) {
      case 'n':
        return isPlus ? 'SCRAM-SHA-256-PLUS without channel binding' : Buffer.alloc(0);
      case 'y':
        // The client saw no -PLUS in the list of mechanisms: somebody between took it out.
        return isPlus || offersPlus ? 'channel binding was downgraded' : Buffer.alloc(0);
      case 'p': {
        if (!isPlus) return 'channel binding with a mechanism that has none';
        const { type } = binding;
        const data =
          type === 'tls-exporter' || type === 'tls-server-end-point'
            ? channelBindings?.[type]
            : undefined;
        return data ?? `no channel binding of type ${type} here`;
      }
    }
  }
}

/** 24 characters without a comma. */
function makeNonce(): string {
  return randomBytes(18).toString('base64');
}
