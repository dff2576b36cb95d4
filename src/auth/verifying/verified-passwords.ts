// Remembers that a password was right, so that a client that polls every minute costs one row and
// one HMAC instead of a hash of 50 ms. For processes that serve many sessions; holds no password
// and no failure.

import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** One login, as the database has it now: a changed row is another proof. */
export interface Proof {
  readonly user: string;
  readonly domain: string;
  /** The column as stored. */
  readonly stored: string;
  readonly password: Buffer;
}

export class VerifiedPasswords {
  readonly #key = randomBytes(32);
  readonly #proofs: LRUCache<string, true> | null;

  /** @param capacity how many logins are remembered, at about 100 octets each; 0: none */
  constructor(capacity: number) {
    this.#proofs = capacity === 0 ? null : new LRUCache({ max: capacity });
  }

  has(proof: Proof): boolean {
    return this.#proofs?.get(this.#mark(proof)) === true;
  }

  add(proof: Proof): void {
    this.#proofs?.set(this.#mark(proof), true);
  }

  /** None of the texts before the password can hold a NUL. */
  #mark({ user, domain, stored, password }: Proof): string {
    return createHmac('sha256', this.#key)
      .update(`${user}\0${domain}\0${stored}\0`)
      .update(password)
      .digest('base64');
  }
}
