// The authenticator over a SQLite file of passwords: reads the row, verifies, and says nothing by the time it takes.

import { randomBytes } from 'node:crypto';
import type {
  Authenticator,
  PlainLookup,
  ScramLookup,
  Verdict,
} from '../accounts/authenticator.js';
import { HashQueueFullError, processHashQueue } from '../stored/hash-queue.js';
import { tryLoginName, type LoginName } from '../accounts/login-name.js';
import { verifyPassword } from '../stored/password-hash.js';
import {
  PasswordTable,
  TableUnavailableError,
  type PasswordTableOptions,
} from './password-table.js';
import { saslprep } from '../stored/saslprep.js';
import { lookUpScram } from './scram-lookup.js';
import {
  parseStoredPassword,
  UnusablePasswordError,
  type StoredPassword,
} from '../stored/stored-password.js';
import { typicalPassword } from '../stored/typical-password.js';
import { VerifiedPasswords } from '../stored/verified-passwords.js';

export interface PasswordDatabaseOptions extends PasswordTableOptions {
  /** For login names without `@`. */
  readonly defaultDomain?: string | undefined;
  /** How many right passwords are remembered, as `rememberedRows`; 0, the default: none. */
  readonly rememberedPasswords?: number | undefined;
}

/** Longest password that is hashed, in octets: what a line of PASS and a SASL response can be expected to carry. */
export const maxPasswordOctets = 512;
/** Looked up in the place of a name that no user can have. */
const nobody: LoginName = { user: '', domain: '' };
/** How long a sample of the table stands for it. */
const sampleLifeMs = 60_000;

/**
 * Makes an authenticator of a password database. Opens nothing yet: the file is opened at the first call of a method, and
 * faults of file, schema and query are verdicts.
 */
export function openPasswordDatabase(options: PasswordDatabaseOptions): Authenticator {
  return new PasswordDatabase(options);
}

class PasswordDatabase implements Authenticator {
  readonly #table: PasswordTable;
  readonly #defaultDomain: string | undefined;
  readonly #verified: VerifiedPasswords;
  /** Serves where passdb left no secret: then made-up salts last as long as this process. */
  readonly #processSecret = randomBytes(32);
  #typical: { readonly stored: string; readonly expiresAtMs: number } | undefined;
  #scramOffer: { readonly isOffered: boolean; readonly expiresAtMs: number } | undefined;

  constructor(options: PasswordDatabaseOptions) {
    this.#table = new PasswordTable(options);
    this.#defaultDomain = options.defaultDomain;
    this.#verified = new VerifiedPasswords(options.rememberedPasswords ?? 0);
  }

  async verifyPassword(name: Buffer, password: Buffer): Promise<Verdict> {
    // The same for every name, so it may be quick.
    if (password.length > maxPasswordOctets) return rejected('password too long');
    if (password.includes(0)) return rejected('password with a NUL');
    try {
      return await this.#verify(tryLoginName(name, this.#defaultDomain), password);
    } catch (error) {
      return unavailable(error);
    }
  }

  async lookUpScram(name: Buffer): Promise<ScramLookup> {
    try {
      const login = tryLoginName(name, this.#defaultDomain);
      const row = login === null ? null : await this.#table.find(login);
      const secret = (await this.#table.decoySecret()) ?? this.#processSecret;
      const sample = await this.#table.sample();
      return await processHashQueue.run(() => lookUpScram({ name, login, row, secret, sample }));
    } catch (error) {
      const { isLasting, reason } = unavailable(error);
      return { found: 'unavailable', isLasting, reason };
    }
  }

  async lookUpPlain(name: Buffer): Promise<PlainLookup> {
    try {
      const login = tryLoginName(name, this.#defaultDomain);
      const row = login === null ? null : await this.#table.find(login);
      if (login === null || row === null) return { found: 'nothing', reason: 'unknown user' };
      if (!row.isActive) return { found: 'nothing', reason: 'disabled user' };
      const stored = parseStoredPassword(row.password);
      return stored.kind === 'plain'
        ? { found: 'password', identity: login, password: stored.password }
        : { found: 'nothing', reason: 'password not stored as PLAIN' };
    } catch (error) {
      const { isLasting, reason } = unavailable(error);
      return { found: 'unavailable', isLasting, reason };
    }
  }

  async offersScram(): Promise<boolean> {
    if (this.#scramOffer !== undefined && performance.now() < this.#scramOffer.expiresAtMs) {
      return this.#scramOffer.isOffered;
    }
    try {
      const isOffered = await this.#table.hasPasswordForScram();
      this.#scramOffer = { isOffered, expiresAtMs: performance.now() + sampleLifeMs };
      return isOffered;
    } catch {
      // The login that follows says what is wrong.
      return false;
    }
  }

  close(): void {
    this.#table.close();
  }

  /** Unknown users go the same way as known ones, with a typical password in the place of their own. */
  async #verify(login: LoginName | null, password: Buffer): Promise<Verdict> {
    const { user, domain } = login ?? nobody;
    const row = await this.#table.find({ user, domain });
    const typical = await this.#typicalPassword();
    const stored = row?.password ?? typical;
    const parsed = parseStoredPassword(stored);
    const proof = { user, domain, stored, password };
    // A comparison costs less than remembering one.
    const isWorthRemembering = parsed.kind !== 'plain';
    const isRemembered = isWorthRemembering && this.#verified.has(proof);
    const isActive = login !== null && row?.isActive === true;
    const matches = (isActive && isRemembered) || (await this.#matches(parsed, password));
    if (login === null) return rejected('impossible name');
    if (row === null) return rejected('unknown user');
    if (!matches) return rejected('wrong password');
    if (!isActive) return rejected('disabled user');
    if (isWorthRemembering) this.#verified.add(proof);
    return { verdict: 'accepted', identity: login };
  }

  /** RFC 6856 §2.2 wants SASLprep, other programs store what was typed: either form of a password is right. */
  async #matches(stored: StoredPassword, password: Buffer): Promise<boolean> {
    const prepared = await saslprep(password, 'query');
    const candidates =
      prepared === null || prepared.equals(password) ? [password] : [password, prepared];
    for (const candidate of candidates) {
      if (await processHashQueue.run(() => verifyPassword(stored, candidate))) return true;
    }
    return false;
  }

  async #typicalPassword(): Promise<string> {
    if (this.#typical === undefined || performance.now() >= this.#typical.expiresAtMs) {
      const stored = typicalPassword(await this.#table.sample());
      this.#typical = { stored, expiresAtMs: performance.now() + sampleLifeMs };
    }
    return this.#typical.stored;
  }
}

function rejected(reason: string): Verdict {
  return { verdict: 'rejected', reason };
}

function unavailable(error: unknown): Extract<Verdict, { verdict: 'unavailable' }> {
  const isLasting =
    error instanceof UnusablePasswordError ||
    (error instanceof TableUnavailableError && error.isLasting);
  const isExpected =
    isLasting || error instanceof TableUnavailableError || error instanceof HashQueueFullError;
  const message = error instanceof Error ? error.message : String(error);
  const reason = isExpected ? message : `password verification failed: ${message}`;
  return { verdict: 'unavailable', isLasting, reason };
}
