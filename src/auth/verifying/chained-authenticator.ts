// Several sources, asked in order. The first that has a name decides about it; one that cannot be
// asked stops the search, because the name may be its. doc/decisions/018-account-sources.md

import type {
  Authenticator,
  PlainLookup,
  ScramLookup,
  Verdict,
} from '../accounts/authenticator.js';
import type { ChainLink } from '../accounts/chain-link.js';
import type { LoginClient } from '../accounts/login-client.js';

type Missing = { readonly isUnknown?: true };

export class ChainedAuthenticator implements Authenticator {
  readonly #links: readonly ChainLink[];

  /** @param links at least one */
  constructor(links: readonly ChainLink[]) {
    this.#links = links;
  }

  /** However a password is rejected, every source was asked and did all its work. */
  async verifyPassword(name: Buffer, password: Buffer, client?: LoginClient): Promise<Verdict> {
    let decided: Verdict | undefined;
    let last: Verdict | undefined;
    const hiding: (() => Promise<void>)[] = [];
    for (const link of this.#links) {
      const { verdict, isUnknown, hide } = await link.tryPassword(name, password, client);
      hiding.push(hide);
      if (decided !== undefined) continue;
      if (verdict.verdict !== 'rejected') return verdict;
      last = verdict;
      if (!isUnknown) decided = verdict;
    }
    for (const hide of hiding) await hide();
    return decided ?? last ?? { verdict: 'rejected', reason: 'no source' };
  }

  async lookUpScram(name: Buffer, client?: LoginClient): Promise<ScramLookup> {
    const lookups = await Promise.all(this.#links.map((link) => link.lookUpScram(name, client)));
    const deciding = firstDeciding(lookups);
    if (deciding !== undefined) return deciding;
    // A name that nobody has looks like those of a source that has such passwords.
    const offers = await Promise.all(this.#links.map((link) => link.offersScram()));
    const models = lookups.filter((_, index) => offers[index]);
    const candidates = models.length > 0 ? models : lookups;
    const chosen = candidates[name.reduce((sum, octet) => sum + octet, 0) % candidates.length];
    return chosen ?? { found: 'unavailable', isLasting: true, reason: 'no source' };
  }

  async lookUpPlain(name: Buffer, client?: LoginClient): Promise<PlainLookup> {
    const lookups = await Promise.all(this.#links.map((link) => link.lookUpPlain(name, client)));
    const [first = { found: 'nothing', reason: 'no source' }] = lookups;
    return firstDeciding(lookups) ?? first;
  }

  /** Not where some users could never use it: their clients would choose it and fail. */
  async offersScram(): Promise<boolean> {
    if (!this.#links.every(({ canOfferScram }) => canOfferScram)) return false;
    const offers = await Promise.all(this.#links.map((link) => link.offersScram()));
    return offers.includes(true);
  }

  async leastDays(): Promise<number | null> {
    const days = await Promise.all(this.#links.map((link) => link.leastDays()));
    const known = days.filter((value) => value !== null);
    return known.length === 0 ? null : Math.min(...known);
  }

  close(): void {
    for (const link of this.#links) link.close();
  }
}

/** The first that is anything but "not mine"; all were asked, so that the time is the same. */
function firstDeciding<Lookup extends object>(
  lookups: readonly (Lookup & Missing)[],
): Lookup | undefined {
  return lookups.find(({ isUnknown }) => isUnknown !== true);
}
