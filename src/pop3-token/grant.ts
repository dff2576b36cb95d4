// What a user consented to, and the tokens that came of it: one file for each name in the state
// directory, which nobody else can read. Knows nothing of HTTP.

import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileFailure } from '../system/failures/file-failure.js';
import { ConfigurationError, UsageError } from '../system/failures/failures.js';
import { systemWords } from '../system/failures/system-words.js';
import { lockFile, type FileLock } from '../system/files/file-lock.js';
import { replaceFile } from '../system/files/replace-file.js';
import { readTextFile, TextFileError } from '../system/files/text-file.js';
import type { Provider } from './provider.js';

export interface Grant {
  readonly version: 1;
  /** With its client's id and secret. */
  readonly provider: Provider;
  readonly user: string | null;
  /** Where the user consented. */
  readonly consentAddress: string;
  readonly accessToken: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** Of the access token, from its beginning to its end. */
  readonly lifetimeMs: number;
  readonly refreshToken: string | null;
  readonly grantedAt: number;
  /** Null when that is not known. */
  readonly endsAt: number | null;
}

const maxOctets = 1 << 20;
/** A refresh is one request; several may wait for one that is slow. */
const lockPatienceMs = 90_000;

export class GrantStore {
  readonly #folder: string;

  /** @param folder null for the user's own: XDG_STATE_HOME, else `~/.local/state` */
  constructor(folder: string | null, environment: NodeJS.ProcessEnv) {
    const state = environment['XDG_STATE_HOME'] ?? '';
    const base = state.startsWith('/') ? state : join(homedir(), '.local', 'state');
    this.#folder = folder ?? join(base, 'pop3token');
  }

  /** @throws ConfigurationError when others may look into the directory, or it cannot be made */
  open(): void {
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      if ((statSync(this.#folder).mode & 0o077) === 0) return;
    } catch (error) {
      throw fileFailure(error, `cannot keep tokens in ${this.#folder}: ${systemWords(error)}`);
    }
    throw new ConfigurationError(`${this.#folder} is open to others: chmod 700 ${this.#folder}`);
  }

  /** One at a time: a refresh token may be good for a single use. Throws as `lockFile`. */
  async lock(name: string): Promise<FileLock> {
    return lockFile(`${this.#pathOf(name)}.lock`, { patienceMs: lockPatienceMs });
  }

  /** @returns null where there is no such grant. @throws ConfigurationError for a broken file */
  tryRead(name: string): Grant | null {
    const path = this.#pathOf(name);
    try {
      const grant = JSON.parse(readTextFile(path, maxOctets)) as Partial<Grant> | null;
      if (grant?.version === 1 && grant.accessToken !== undefined) return grant as Grant;
    } catch (error) {
      if (error instanceof TextFileError && error.code === 'ENOENT') return null;
      if (error instanceof TextFileError) throw new ConfigurationError(`${path} ${error.message}`);
    }
    throw new ConfigurationError(`${path} is no grant of pop3token's: remove it and log in again`);
  }

  /** On the disk when the promise resolves. @throws ConfigurationError, TemporaryError */
  async write(name: string, grant: Grant): Promise<void> {
    const path = this.#pathOf(name);
    try {
      await replaceFile(path, [`${JSON.stringify(grant, null, 2)}\n`], 'utf8', {
        ...{ mode: 0o600, isDurable: true },
      });
    } catch (error) {
      throw fileFailure(error, `cannot write ${path}: ${systemWords(error)}`);
    }
  }

  /** @returns whether there was one. @throws ConfigurationError, TemporaryError */
  async remove(name: string): Promise<boolean> {
    const path = this.#pathOf(name);
    if (!existsSync(path)) return false;
    try {
      await unlink(path);
    } catch (error) {
      throw fileFailure(error, `cannot remove ${path}: ${systemWords(error)}`);
    }
    return true;
  }

  names(): readonly string[] {
    if (!existsSync(this.#folder)) return [];
    return readdirSync(this.#folder)
      .filter((name) => name.endsWith('.json'))
      .map((name) => decodeURIComponent(name.slice(0, -'.json'.length)))
      .sort();
  }

  #pathOf(name: string): string {
    return join(this.#folder, `${encodeURIComponent(name)}.json`);
  }
}

/** @throws UsageError for what can be no name of a grant */
export function checkName(name: string): void {
  if (name === '' || /[\0-\x1f\x7f\ufffd]/.test(name) || encodeURIComponent(name).length > 200) {
    throw new UsageError(`"${name}" can be no name of a grant`);
  }
}
