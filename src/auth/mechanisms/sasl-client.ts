// The client's side of SASL for pop3get: PLAIN (RFC 4616) and SCRAM-SHA-256, with and without -PLUS
// (RFC 5802, RFC 7677). Octets only: base64 and the POP3 exchange around it (RFC 5034) are the
// caller's.

import { randomBytes, timingSafeEqual } from 'node:crypto';
import { saslprep } from '../stored/saslprep.js';
import { clientProof, hmac, saltedPassword, serverSignature } from '../stored/scram-keys.js';
import {
  authMessage,
  formatClientFinalWithoutProof,
  formatClientFirstBare,
  formatGs2Header,
  tryServerFinal,
  tryServerFirst,
  type ChannelBindingFlag,
} from './scram-messages.js';

/**
 * The server does not keep to the mechanism, or cannot prove that it knows the password. Nothing
 * more may be sent to it.
 */
export class SaslServerError extends Error {}

/** Name or password cannot be used with the mechanism. */
export class SaslCredentialsError extends Error {}

export interface SaslClient {
  /** The mechanism's name, for the AUTH command. */
  readonly name: string;
  /** What the client says first. @throws SaslCredentialsError */
  initialResponse(): Promise<Buffer>;
  /** The answer to a challenge. @throws SaslServerError */
  respond(challenge: Buffer): Promise<Buffer>;
  /**
   * To be called at `+OK`, before anything is believed.
   *
   * @throws SaslServerError when the server has not proven itself
   */
  finish(): void;
}

export interface Credentials {
  readonly username: string;
  readonly password: Buffer;
}

/** PLAIN: only over TLS. */
export function plainClient({ username, password }: Credentials): SaslClient {
  return {
    name: 'PLAIN',
    initialResponse: () => {
      if (username.includes('\0') || password.includes(0)) {
        return Promise.reject(new SaslCredentialsError('name or password contains a NUL'));
      }
      return Promise.resolve(Buffer.concat([Buffer.from(`\0${username}\0`), password]));
    },
    respond: () => Promise.reject(new SaslServerError('the server asks for more than PLAIN has')),
    finish: () => undefined,
  };
}

/**
 * How an exchange is tied to TLS. `bound`: SCRAM-SHA-256-PLUS. `not-offered`: there is TLS, but the
 * server announced no -PLUS, and is told so, to find out whether somebody took it from the list.
 * `none`: no TLS.
 */
export type ClientBinding =
  | {
      readonly kind: 'bound';
      readonly type: 'tls-exporter' | 'tls-server-end-point';
      readonly data: Buffer;
    }
  | { readonly kind: 'not-offered' }
  | { readonly kind: 'none' };

export interface ScramClientOptions extends Credentials {
  readonly binding: ClientBinding;
  /** Makes the client's nonce; for tests. */
  readonly makeNonce?: () => string;
}

/** RFC 7677 §4: fewer would give who pretends to be the server an easy guess at the password. */
const minIterations = 4096;
/** About a second of one core; a hostile server could ask for a day of it. */
const maxIterations = 2_000_000;

export function scramClient(options: ScramClientOptions): SaslClient {
  return new ScramClient(options);
}

class ScramClient implements SaslClient {
  readonly name: string;
  readonly #options: ScramClientOptions;
  readonly #gs2Header: string;
  readonly #nonce: string;
  #firstBare = '';
  #password: Buffer = Buffer.alloc(0);
  /** What the server has to sign with; known once its first message came. */
  #expectedSignature: Buffer | undefined;
  #isServerProven = false;

  constructor(options: ScramClientOptions) {
    this.#options = options;
    this.name = options.binding.kind === 'bound' ? 'SCRAM-SHA-256-PLUS' : 'SCRAM-SHA-256';
    this.#gs2Header = formatGs2Header(flagOf(options.binding));
    this.#nonce = (options.makeNonce ?? (() => randomBytes(18).toString('base64')))();
  }

  async initialResponse(): Promise<Buffer> {
    const username = await saslprep(Buffer.from(this.#options.username), 'query');
    const password = await saslprep(this.#options.password, 'query');
    if (username === null || password === null) {
      const which = username === null ? 'user name' : 'password';
      throw new SaslCredentialsError(`the ${which} is empty or holds what SASLprep prohibits`);
    }
    this.#password = password;
    this.#firstBare = formatClientFirstBare(username.toString('utf8'), this.#nonce);
    return Buffer.from(this.#gs2Header + this.#firstBare);
  }

  async respond(challenge: Buffer): Promise<Buffer> {
    if (this.#expectedSignature === undefined) return this.#answerFirst(challenge);
    const signature = tryServerFinal(challenge);
    const expected = this.#expectedSignature;
    if (
      this.#isServerProven ||
      signature?.length !== expected.length ||
      !timingSafeEqual(signature, expected)
    ) {
      throw new SaslServerError('the server cannot prove that it knows the password');
    }
    this.#isServerProven = true;
    return Buffer.alloc(0);
  }

  finish(): void {
    if (!this.#isServerProven) {
      throw new SaslServerError('the server did not prove that it knows the password');
    }
  }

  async #answerFirst(challenge: Buffer): Promise<Buffer> {
    const first = tryServerFirst(challenge);
    if (first === null) throw new SaslServerError('malformed SCRAM message from the server');
    const { nonce, salt, iterations } = first;
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length) {
      throw new SaslServerError('the server did not add to the SCRAM nonce');
    }
    if (iterations < minIterations || iterations > maxIterations) {
      throw new SaslServerError(`the server asks for ${iterations} SCRAM iterations`);
    }
    const salted = await saltedPassword(this.#password, salt, iterations);
    const { binding } = this.#options;
    const bound = Buffer.concat([
      Buffer.from(this.#gs2Header),
      binding.kind === 'bound' ? binding.data : Buffer.alloc(0),
    ]);
    const withoutProof = formatClientFinalWithoutProof(bound, nonce);
    const signed = authMessage(this.#firstBare, challenge.toString('utf8'), withoutProof);
    this.#expectedSignature = serverSignature(hmac(salted, 'Server Key'), signed);
    return Buffer.from(`${withoutProof},p=${clientProof(salted, signed).toString('base64')}`);
  }
}

function flagOf(binding: ClientBinding): ChannelBindingFlag {
  switch (binding.kind) {
    case 'bound':
      return { flag: 'p', type: binding.type };
    case 'not-offered':
      return { flag: 'y' };
    case 'none':
      return { flag: 'n' };
  }
}
