// The authenticator over an account source: gets the row, verifies, and says nothing by the time it
// takes.

import type { AccountSource } from '../accounts/account-source.js';
import type { PlainLookup, ScramLookup, Verdict } from '../accounts/authenticator.js';
import type { Attempt, ChainLink } from '../accounts/chain-link.js';
import { loginClient, type LoginClient } from '../accounts/login-client.js';
import { tryLoginName, type LoginName } from '../accounts/login-name.js';
import { maxPasswordOctets } from '../stored/password-octets.js';
import { saslprep } from '../stored/saslprep.js';
import { UnusablePasswordError, type ParseOptions } from '../stored/parse-stored-password.js';
import {
  faultOf,
  groupsOf,
  matchIn,
  mismatchOf,
  permitOf,
  takeApart,
  type AccountPassword,
  type AccountPasswords,
  type Match,
  type Verifiable,
} from './account-passwords.js';
import { processHashQueue } from './hash-queue.js';
import { canUseScram, lookUpScram } from './scram-lookup.js';
import { StandIns } from './stand-ins.js';
import { unavailable, Undecided } from './undecided.js';
import { VerifiedPasswords, type Proof } from './verified-passwords.js';

export interface VerifierOptions extends ParseOptions {
  /** For login names without `@`. */
  readonly defaultDomain?: string | undefined;
  /** How many right passwords are remembered; 0, the default: none. */
  readonly rememberedPasswords?: number | undefined;
}

/** Looked up in the place of a name that no user can have. */
const nobody: LoginName = { user: '', domain: '' };
const anyClient = loginClient(undefined);
/** How long it stands whether the source has a password for SCRAM. */
const scramOfferLifeMs = 60_000;

export class AccountVerifier implements ChainLink {
  readonly canOfferScram = true;
  readonly #source: AccountSource;
  readonly #options: VerifierOptions;
  readonly #verified: VerifiedPasswords;
  readonly #standIns: StandIns;
  #scramOffer: { readonly isOffered: boolean; readonly expiresAtMs: number } | undefined;

  constructor(source: AccountSource, options: VerifierOptions) {
    this.#source = source;
    this.#options = options;
    this.#standIns = new StandIns(source, options);
    this.#verified = new VerifiedPasswords(options.rememberedPasswords ?? 0);
  }

  async verifyPassword(name: Buffer, password: Buffer, client = anyClient): Promise<Verdict> {
    const { verdict, isUnknown, hide } = await this.tryPassword(name, password, client);
    try {
      if (isUnknown) await hide();
      return verdict;
    } catch (error) {
      return { verdict: 'unavailable', ...unavailable(error) };
    }
  }

  async tryPassword(name: Buffer, password: Buffer, client = anyClient): Promise<Attempt> {
    // The same for every name, so it may be quick.
    if (password.length > maxPasswordOctets) return attempt(rejected('password too long'));
    if (password.includes(0)) return attempt(rejected('password with a NUL'));
    try {
      return await this.#verify(name, password, client);
    } catch (error) {
      return attempt({ verdict: 'unavailable', ...unavailable(error) });
    }
  }

  async lookUpScram(name: Buffer, client = anyClient): Promise<ScramLookup> {
    try {
      const login = tryLoginName(name, this.#options.defaultDomain);
      const { usable, fault } = await this.#find(login, client);
      const candidates = usable.map((password) => ({
        stored: password.stored,
        isActive: password.row.isActive,
        ...permitOf(password, client),
      }));
      const decoy = await this.#standIns.decoyFor(login, name);
      return await processHashQueue.run(client.network, async () => {
        const model = await this.#source.pick(decoy.position, (text) =>
          canUseScram(this.#standIns.tryParse(text)),
        );
        return lookUpScram({
          login,
          candidates,
          mismatch: mismatchOf(fault),
          seed: decoy.seed,
          model: model === null ? null : this.#standIns.tryParse(model),
        });
      });
    } catch (error) {
      return { found: 'unavailable', ...unavailable(error) };
    }
  }

  async lookUpPlain(name: Buffer, client = anyClient): Promise<PlainLookup> {
    try {
      const login = tryLoginName(name, this.#options.defaultDomain);
      const { usable, fault } = await this.#find(login, client);
      // Read and parsed for every name: the time does not tell who exists.
      await this.#standIns.find(login, name);
      if (login === null || usable.length === 0) {
        return { found: 'nothing', isUnknown: true, reason: 'unknown user' };
      }
      if (!usable.some(({ row }) => row.isActive)) {
        return { found: 'nothing', reason: 'disabled user' };
      }
      const passwords = usable.flatMap((password) => {
        const { stored } = password;
        if (stored.kind !== 'plain') return [];
        return [{ password: stored.password, ...permitOf(password, client) }];
      });
      return passwords.length === 0
        ? { found: 'nothing', reason: 'password not stored as PLAIN' }
        : { found: 'passwords', identity: login, passwords, mismatch: mismatchOf(fault) };
    } catch (error) {
      return { found: 'unavailable', ...unavailable(error) };
    }
  }

  async offersScram(): Promise<boolean> {
    if (this.#scramOffer !== undefined && performance.now() < this.#scramOffer.expiresAtMs) {
      return this.#scramOffer.isOffered;
    }
    try {
      const found = await this.#source.pick(0n, (text) =>
        canUseScram(this.#standIns.tryParse(text)),
      );
      const isOffered = found !== null;
      this.#scramOffer = { isOffered, expiresAtMs: performance.now() + scramOfferLifeMs };
      return isOffered;
    } catch {
      // The login that follows says what is wrong.
      return false;
    }
  }

  async leastDays(): Promise<number | null> {
    try {
      return await this.#source.leastDays();
    } catch {
      return null;
    }
  }

  close(): void {
    this.#source.close();
  }

  async #verify(name: Buffer, password: Buffer, client: LoginClient): Promise<Attempt> {
    const login = tryLoginName(name, this.#options.defaultDomain);
    const passwords = await this.#find(login, client);
    if (login === null || passwords.usable.length === 0) {
      return {
        verdict: rejected(login === null ? 'impossible name' : 'unknown user'),
        isUnknown: true,
        hide: () => this.#verifyStandIn(login, name, password, client),
      };
    }
    const { usable } = passwords;
    const remembered = this.#remembered(login, usable, password);
    // For a name that nobody has, a row is read in the place of its own, and before the hash: after
    // the wait for it the same steps take longer.
    const isHashed = remembered === undefined && usable.some(isHashedToVerify);
    if (isHashed) await this.#standIns.find(login, name);
    const { matching, fault } =
      remembered === undefined
        ? await this.#match(login, passwords, password, client)
        : { matching: remembered, fault: null };
    const found = matching === null ? null : permitOf(matching, client);
    if (found?.refusal === null) {
      return attempt({ verdict: 'accepted', identity: login, grant: found.grant });
    }
    if (!isHashed) await this.#standIns.find(login, name);
    return attempt(rejected(found?.refusal ?? mismatchOf(fault)));
  }

  /** @throws UnusablePasswordError where there are passwords, and none can be verified */
  async #find(login: LoginName | null, client: LoginClient): Promise<AccountPasswords> {
    const rows = await this.#source.find(login ?? nobody, client);
    const passwords = takeApart(rows, this.#options);
    if (passwords.usable.length === 0 && passwords.fault !== null) throw passwords.fault;
    return passwords;
  }

  #remembered(
    login: LoginName,
    passwords: readonly AccountPassword[],
    password: Buffer,
  ): AccountPassword | undefined {
    return passwords.find(
      (candidate) =>
        isWorthRemembering(candidate) &&
        this.#verified.has(proofOf(login, candidate.row.password, password)),
    );
  }

  /**
   * A password that cannot be verified keeps no other from being right, and no wrong one from being
   * a failed login: else nobody would count guesses at the others.
   *
   * @throws UnusablePasswordError where none can be verified; Undecided
   */
  async #match(
    login: LoginName,
    { usable, fault: firstFault }: AccountPasswords,
    password: Buffer,
    client: LoginClient,
  ): Promise<Match> {
    let fault = firstFault;
    let isCompared = false;
    for (const group of groupsOf(usable)) {
      try {
        const matching = await this.#matches(group, password, client);
        isCompared = true;
        if (matching === null) continue;
        if (isWorthRemembering(matching)) {
          this.#verified.add(proofOf(login, matching.row.password, password));
        }
        return { matching, fault: null };
      } catch (error) {
        if (!(error instanceof UnusablePasswordError)) {
          throw isCompared ? new Undecided(error) : error;
        }
        if (group[0] !== undefined) fault ??= faultOf(group[0].row, error);
      }
    }
    if (fault !== null && !isCompared) throw fault;
    return { matching: null, fault };
  }

  /**
   * RFC 6856 §2.2 wants SASLprep, other programs store what was typed: either form of a password is
   * right.
   *
   * @param group as `groupsOf` makes them
   */
  async #matches<Password extends Verifiable>(
    group: readonly Password[],
    password: Buffer,
    { network }: LoginClient,
  ): Promise<Password | null> {
    const prepared = await saslprep(password, 'query');
    const compare = (form: Buffer): Promise<Password | null> =>
      // What takes no time needs no turn.
      group.some(isHashedToVerify)
        ? processHashQueue.run(network, () => matchIn(group, form))
        : matchIn(group, form);
    const matching = await compare(password);
    if (matching !== null || prepared === null || prepared.equals(password)) return matching;
    return compare(prepared);
  }

  /** Does for a name that nobody has what is done for others when the password is wrong. */
  async #verifyStandIn(
    login: LoginName | null,
    name: Buffer,
    password: Buffer,
    client: LoginClient,
  ): Promise<void> {
    const standIn = await this.#standIns.find(login, name);
    if (isHashedToVerify(standIn)) {
      this.#verified.has(proofOf(login ?? nobody, standIn.text, password));
    }
    await this.#matches([standIn], password, client);
  }
}

function proofOf(login: LoginName, stored: string, password: Buffer): Proof {
  return { ...login, stored, password };
}

function isHashedToVerify({ stored }: Verifiable): boolean {
  return stored.kind !== 'plain';
}

/** A comparison costs less than remembering one. */
function isWorthRemembering(candidate: AccountPassword): boolean {
  return candidate.row.isActive && isHashedToVerify(candidate);
}

/** Of a name that this source has, or that no source can have: nothing is left to be hidden. */
function attempt(verdict: Verdict): Attempt {
  return { verdict, isUnknown: false, hide: () => Promise.resolve() };
}

function rejected(reason: string): Verdict {
  return { verdict: 'rejected', reason };
}
