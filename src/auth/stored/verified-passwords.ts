// Remembers that a password was right, so that a client that polls every minute costs one row and one HMAC instead of a
// hash of 50 ms. For processes that serve many sessions; holds no password and no failure.

import { createHmac, randomBytes } from 'node:crypto';

/** One login, as the database has it now: a changed row is another proof. */
export interface Proof {
  readonly user: string;
  readonly domain: string;
  /** The column as stored. */
  readonly stored: string;
  readonly password: Buffer;
}

export class VerifiedPasswords {
  readonly #capacity: number;
  readonly #key = randomBytes(32);
  /** In order of last use, the oldest first. */
  readonly #proofs = new Set<string>();

  /** @param capacity how many logins are remembered, at about 100 octets each; 0: none */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  has(proof: Proof): boolean {
    if (this.#capacity === 0) return false;
    const mark = this.#mark(proof);
    if (!this.#proofs.delete(mark)) return false;
    this.#proofs.add(mark);
    return true;
  }

  add(proof: Proof): void {
    if (this.#capacity === 0) return;
    this.#proofs.add(this.#mark(proof));
    for (const oldest of this.#proofs) {
      if (this.#proofs.size <= this.#capacity) break;
      this.#proofs.delete(oldest);
    }
  }

  /** None of the texts before the password can hold a NUL. */
  #mark({ user, domain, stored, password }: Proof): string {
    return createHmac('sha256', this.#key)
      .update(`${user}\0${domain}\0${stored}\0`)
      .update(password)
      .digest('base64');
  }
}
