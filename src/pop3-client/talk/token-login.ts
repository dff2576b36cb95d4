// Logging in with an access token: OAUTHBEARER, XOAUTH2. A token that is refused is asked for once
// more; no password is ever sent, and no token without TLS but to this machine.

import {
  bearerClient,
  type BearerClient,
  type BearerMechanism,
} from '../../auth/mechanisms/bearer-client.js';
import { SaslCredentialsError } from '../../auth/mechanisms/sasl-client.js';
import type { Response } from '../../wire/response.js';
import {
  ConnectionClosed,
  InsecureServer,
  quoteServerText,
  Refused,
} from '../settings/failures.js';
import type { AuthMode } from '../settings/settings.js';
import type { TokenSource } from '../settings/token-source.js';
import type { Pop3Client } from './client.js';
import { mechanismsOf, type Accepted, type LoginAttempts, type Offer } from './login-methods.js';
import { judgeRefusal, notNow } from './login-refusal.js';
import { exchange } from './sasl-login.js';
import { describeTokenRefusal, isSwitchedOff } from './token-refusal.js';

/** Best first. */
const mechanisms: readonly BearerMechanism[] = ['OAUTHBEARER', 'XOAUTH2'];

const advice = 'consent anew, such as with pop3token login';

export interface TokenLoginOptions {
  readonly user: string;
  readonly source: TokenSource;
  readonly mode: AuthMode;
  readonly signal: AbortSignal;
  /** As for a login with a password. */
  readonly preferred: (offer: Offer) => string | null;
}

/** One login, over as many connections as it takes: at most one for each mechanism and token. */
export class TokenLogin implements LoginAttempts {
  readonly #options: TokenLoginOptions;
  #token: string | null = null;
  #isRenewed = false;
  /** With the present token. */
  readonly #tried = new Set<BearerMechanism>();
  readonly #refusals: string[] = [];

  constructor(options: TokenLoginOptions) {
    this.#options = options;
  }

  /** As the `tryOn` of a login with a password. */
  async tryOn(client: Pop3Client, offer: Offer): Promise<Accepted | null> {
    if (!offer.isProtected && !offer.peer.isLoopback) {
      throw new InsecureServer(
        'an access token is never sent without TLS, and this connection has none: see --tls',
      );
    }
    const [best, ...others] = this.#usableMechanisms(offer);
    const isPreferred = (one: BearerMechanism): boolean =>
      one.toLowerCase() === this.#options.preferred(offer);
    const usable = others.some(isPreferred) ? [...others, best] : [best, ...others];
    let attempts = 0;
    for (;;) {
      for (const mechanism of usable) {
        if (this.#tried.has(mechanism)) continue;
        const outcome = await this.#attempt(client, offer, mechanism, attempts === 0);
        attempts += 1;
        if (outcome === 'accepted') {
          const name = mechanism.toLowerCase();
          return { name, key: name, isBest: mechanism === best };
        }
        if (outcome === 'closed') return null;
        // What is wrong with the token is wrong with it in another mechanism too.
        if (outcome === 'token refused') break;
      }
      await this.#renew();
    }
  }

  async #attempt(
    client: Pop3Client,
    offer: Offer,
    mechanism: BearerMechanism,
    isFirst: boolean,
  ): Promise<'accepted' | 'refused' | 'token refused' | 'closed'> {
    const { user, source, signal } = this.#options;
    this.#token ??= await source.read('login', signal);
    const { host, port } = offer.peer;
    const sasl = bearerClient(mechanism, { username: user, token: this.#token, host, port });
    try {
      const response = await exchange(client, sasl, 'after AUTH');
      this.#tried.add(mechanism);
      if (response.isOk) return 'accepted';
      this.#note(sasl, response);
      return sasl.refusal === null ? 'refused' : 'token refused';
    } catch (error) {
      if (error instanceof SaslCredentialsError) throw new Refused(error.message);
      if (!(error instanceof ConnectionClosed)) throw error;
      // Of a connection on which something was refused before, that may have been the end.
      if (!isFirst) return 'closed';
      this.#tried.add(mechanism);
      if (sasl.refusal !== null) this.#note(sasl, { isOk: false, code: null, text: '' });
      else this.#refusals.push(`${mechanism}: the server closed the connection`);
      return 'closed';
    }
  }

  #note(sasl: BearerClient, response: Response): void {
    const said = describeTokenRefusal(sasl.refusal, response);
    this.#refusals.push(`${sasl.name}: ${said}`);
    const kind = judgeRefusal(response, { tellsPassword: false });
    if (kind === 'final' || isSwitchedOff(response)) throw new Refused(this.#refusal());
    if (kind === 'temporary') {
      throw notNow(this.#options.user, said, response);
    }
  }

  /** @throws Refused when there is no other token to try */
  async #renew(): Promise<void> {
    if (this.#isRenewed) {
      throw new Refused(`${this.#refusal()}; so was a second one: ${advice}`);
    }
    this.#isRenewed = true;
    const { source, signal } = this.#options;
    const renewed = await source.read('refused', signal);
    if (renewed === this.#token) {
      throw new Refused(`${this.#refusal()}; ${source.name} has no other one: ${advice}`);
    }
    this.#token = renewed;
    this.#tried.clear();
  }

  #refusal(): string {
    const reasons = [...new Set(this.#refusals)].join('; ');
    return `the server refused the access token of ${this.#options.user}: ${reasons}`;
  }

  #usableMechanisms(offer: Offer): readonly [BearerMechanism, ...BearerMechanism[]] {
    const { mode } = this.#options;
    const offered = mechanismsOf(offer);
    const [best, ...others] = mechanisms.filter((name) =>
      mode === 'auto' ? offered.includes(name) : name.toLowerCase() === mode,
    );
    if (best !== undefined) return [best, ...others];
    throw new Refused(
      `the server offers no login with an access token (${quoteServerText(['SASL', ...offered].join(' '))}); ` +
        'where it takes one all the same, say --auth xoauth2 or --auth oauthbearer',
    );
  }
}
