// What is made up for names that nobody has, so that they look like those of users: whose password
// they are verified against, and what SCRAM shows of them.

import { createHmac, randomBytes } from 'node:crypto';
import type { AccountSource } from '../accounts/account-source.js';
import type { LoginName } from '../accounts/login-name.js';
import { unmatchablePassword } from '../stored/make-password.js';
import {
  parseStoredPassword,
  UnusablePasswordError,
  type ParseOptions,
  type StoredPassword,
} from '../stored/parse-stored-password.js';
import type { Verifiable } from './account-passwords.js';

export interface StandIn extends Verifiable {
  /** As stored. */
  readonly text: string;
}

export interface Decoy {
  /** 32 octets. */
  readonly seed: Buffer;
  /** As AccountSource.pick wants it. */
  readonly position: bigint;
}

export class StandIns {
  readonly #source: AccountSource;
  readonly #options: ParseOptions;
  /** Serves where the source has no secret: then made-up accounts last as long as this process. */
  readonly #processSecret = randomBytes(32);

  constructor(source: AccountSource, options: ParseOptions) {
    this.#source = source;
    this.#options = options;
  }

  /**
   * The stored password of somebody, chosen by the name. So whatever mixture of costs the accounts
   * have, names that nobody has show the same, each always the same one.
   *
   * @param login null for a name that nobody can have
   */
  async find(login: LoginName | null, name: Buffer): Promise<StandIn> {
    const { position } = await this.decoyFor(login, name);
    const picked = await this.#source.pick(position, (text) => this.tryParse(text) !== null);
    const text = picked ?? unmatchablePassword();
    return { text, stored: parseStoredPassword(text, this.#options) };
  }

  /**
   * Everything that is made up for a name depends on the name and a secret only: it is the same at
   * each attempt.
   */
  async decoyFor(login: LoginName | null, name: Buffer): Promise<Decoy> {
    const secret = (await this.#source.decoySecret()) ?? this.#processSecret;
    const canonical = login === null ? name : Buffer.from(`${login.user}@${login.domain}`);
    const seed = createHmac('sha256', secret).update(canonical).digest();
    return { seed, position: seed.readBigUInt64BE() >> 2n };
  }

  /** @returns null for what cannot be verified */
  tryParse(text: string): StoredPassword | null {
    try {
      return parseStoredPassword(text, this.#options);
    } catch (error) {
      if (error instanceof UnusablePasswordError) return null;
      throw error;
    }
  }
}
