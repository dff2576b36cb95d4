// The authenticator over a password authority: how many questions at a time, and how long each may
// take. No SCRAM and no APOP: those need a stored form of the password.

import { randomBytes } from 'node:crypto';
import { SourceUnavailable } from '../accounts/account-source.js';
import type { PlainLookup, ScramLookup, Verdict } from '../accounts/authenticator.js';
import type { ChainLink, Attempt } from '../accounts/chain-link.js';
import { loginClient } from '../accounts/login-client.js';
import { lowerCaseAscii, tryLoginName } from '../accounts/login-name.js';
import { maxPasswordOctets } from '../stored/password-octets.js';
import { FairTurns, NoTurnError } from '../turns/fair-turns.js';
import type { PasswordAuthority } from './password-authority.js';

export interface AuthorityLimits {
  /** How many questions are asked at a time; one network has at most half of them. */
  readonly concurrency: number;
  readonly maxWaiting: number;
  readonly maxWaitMs: number;
  /** From the login to its answer, waiting included. */
  readonly totalMs: number;
}

export const defaultAuthorityLimits: Omit<AuthorityLimits, 'concurrency'> = {
  maxWaiting: 512,
  maxWaitMs: 1000,
  totalMs: 4800,
};

export class AuthorityAuthenticator implements ChainLink {
  readonly #authority: PasswordAuthority;
  readonly #defaultDomain: string | undefined;
  readonly #limits: AuthorityLimits;
  readonly #turns: FairTurns;

  constructor(
    authority: PasswordAuthority,
    defaultDomain: string | undefined,
    limits: Pick<AuthorityLimits, 'concurrency'> & Partial<AuthorityLimits>,
  ) {
    this.#authority = authority;
    this.#defaultDomain = defaultDomain;
    this.#limits = { ...defaultAuthorityLimits, ...limits };
    this.#turns = new FairTurns({
      ...this.#limits,
      perNetwork: Math.ceil(this.#limits.concurrency / 2),
      purpose: 'whoever knows the passwords',
    });
  }

  async verifyPassword(
    name: Buffer,
    password: Buffer,
    client = loginClient(undefined),
  ): Promise<Verdict> {
    if (password.length > maxPasswordOctets) return rejected('password too long');
    if (password.includes(0)) return rejected('password with a NUL');
    const login = tryLoginName(name, this.#defaultDomain);
    // Whether a name is possible, a client knows without asking.
    if (login === null) return rejected('impossible name');
    const untilMs = performance.now() + this.#limits.totalMs;
    try {
      return await this.#turns.run(client.network, () =>
        this.#authority.ask({
          login,
          name: name.includes('@') ? `${login.user}@${login.domain}` : lowerCaseAscii(login.user),
          password,
          client,
          withinMs: untilMs - performance.now(),
        }),
      );
    } catch (error) {
      return { verdict: 'unavailable', ...unavailable(error) };
    }
  }

  async tryPassword(...login: Parameters<ChainLink['tryPassword']>): Promise<Attempt> {
    // A wrong password or an unknown user: nobody says which.
    return { verdict: await this.verifyPassword(...login), isUnknown: true, hide: nothingToHide };
  }

  /** Never offered. */
  lookUpScram(): Promise<ScramLookup> {
    const [salt, storedKey, serverKey] = [randomBytes(16), randomBytes(32), randomBytes(32)];
    return Promise.resolve({
      found: 'decoy',
      isUnknown: true,
      reason: 'this source has no passwords for SCRAM',
      credentials: { salt, iterations: 4096, storedKey, serverKey },
    });
  }

  lookUpPlain(): Promise<PlainLookup> {
    const reason = 'this source has no passwords for APOP';
    return Promise.resolve({ found: 'nothing', isUnknown: true, reason });
  }

  offersScram(): Promise<boolean> {
    return Promise.resolve(false);
  }

  leastDays(): Promise<null> {
    return Promise.resolve(null);
  }

  readonly canOfferScram = false;

  close(): void {
    this.#authority.close();
  }
}

function nothingToHide(): Promise<void> {
  return Promise.resolve();
}

function rejected(reason: string): Verdict {
  return { verdict: 'rejected', reason };
}

function unavailable(error: unknown): { readonly isLasting: boolean; readonly reason: string } {
  const { message } = error as Error;
  if (error instanceof SourceUnavailable) return { isLasting: error.isLasting, reason: message };
  const isExpected = error instanceof NoTurnError;
  const reason = isExpected ? message : `password verification failed: ${message}`;
  return { isLasting: false, reason };
}
