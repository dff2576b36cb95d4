// Logging in with the best method that the server offers, and with the next one when that is
// refused. Some servers close the connection with a refusal, or in its place: the next method is
// then tried on a new one.

import { SaslCredentialsError } from '../../auth/mechanisms/sasl-client.js';
import type { Response } from '../../wire/response.js';
import { ConnectionClosed, quoteServerText, Refused } from '../settings/failures.js';
import type { AuthMode } from '../settings/settings.js';
import type { Pop3Client } from './client.js';
import {
  loginMethods,
  mechanismsOf,
  type Accepted,
  type Credentials,
  type LoginAttempts,
  type LoginMethod,
  type Offer,
} from './login-methods.js';
import { judgeRefusal, notNow } from './login-refusal.js';

/** One login, over as many connections as it takes: at most one for each method. */
export class PasswordLogin implements LoginAttempts {
  readonly #credentials: Credentials;
  readonly #mode: AuthMode;
  readonly #tried = new Set<LoginMethod>();
  /** Methods that cannot carry this name or password. */
  readonly #unusable: string[] = [];
  readonly #refusals: string[] = [];
  /** What to try in place of the password; empty where the server takes no tokens. */
  #advice = '';

  readonly #preferred: (offer: Offer) => string | null;

  /** @param preferred the key of the method to begin with; null for the best */
  constructor(
    credentials: Credentials,
    mode: AuthMode,
    preferred: (offer: Offer) => string | null,
  ) {
    this.#credentials = credentials;
    this.#mode = mode;
    this.#preferred = preferred;
  }

  async tryOn(client: Pop3Client, offer: Offer): Promise<Accepted | null> {
    if (mechanismsOf(offer).some((name) => name === 'XOAUTH2' || name === 'OAUTHBEARER')) {
      this.#advice =
        '; the server takes access tokens, perhaps in the place of passwords: see --token-command';
    }
    const offered = this.#usableMethods(offer);
    const preferred = this.#preferred(offer);
    const usable = [
      ...offered.filter(({ key }) => key === preferred),
      ...offered.filter(({ key }) => key !== preferred),
    ].filter((method) => !this.#tried.has(method));
    for (const [index, method] of usable.entries()) {
      try {
        const response = await method.attempt(client, this.#credentials, offer);
        this.#tried.add(method);
        if (response.isOk) {
          const { name, key } = method;
          return { name, key, isBest: method === offered[0] };
        }
        this.#note(method, response);
      } catch (error) {
        if (error instanceof SaslCredentialsError) {
          this.#tried.add(method);
          this.#unusable.push(`${method.name}: ${error.message}`);
          continue;
        }
        if (!(error instanceof ConnectionClosed)) throw error;
        // On a new connection the close was this method's; after others it may have been the
        // refusal of the one before.
        if (index > 0) return null;
        this.#tried.add(method);
        if (usable.length > 1) return null;
        throw error;
      }
    }
    throw new Refused(this.#refusal());
  }

  #note(method: LoginMethod, response: Response): void {
    const { code, text } = response;
    const said = quoteServerText(code === null ? text : `[${code}] ${text}`);
    this.#refusals.push(`${method.name}: ${said}`);
    const kind = judgeRefusal(response, method);
    if (kind === 'final') throw new Refused(this.#refusal());
    if (kind === 'temporary') {
      throw notNow(this.#credentials.user, said, response);
    }
  }

  #refusal(): string {
    const { user } = this.#credentials;
    if (this.#refusals.length === 0)
      return `no way to log in as ${user}: ${this.#unusable.join('; ')}`;
    return `the server refused the login of ${user}: ${this.#refusals.join('; ')}${this.#advice}`;
  }

  #usableMethods(offer: Offer): readonly LoginMethod[] {
    const mode = this.#mode;
    if (mode === 'apop' && offer.timestamp === null) {
      throw new Refused('the server offers no APOP: its greeting has no timestamp');
    }
    if (mode !== 'auto') return loginMethods.filter(({ name }) => name === mode);
    const usable = loginMethods.filter(({ isOffered }) => isOffered(offer));
    if (usable.length > 0) return usable;
    const names = ['SASL', ...mechanismsOf(offer)].join(' ');
    throw new Refused(
      `the server offers no login that pop3get knows (${quoteServerText(names)})` +
        (offer.isProtected ? '' : '; it may want TLS first: see --tls'),
    );
  }
}
