// What a log says of one user: the sessions in which the user logged in, and the failed logins, in
// order. Keeps the last ones only, however long the log is.

import { tryLoginName, type LoginName } from '../auth/accounts/login-name.js';
import type { LogLine } from './log-lines.js';

/** What belongs to one session of the user, or to one failed login. */
export interface UserSession {
  readonly lines: LogLine[];
}

/** Sessions of others that are open at a time: their lines may be the user's. */
const mostOpen = 10_000;

export class SessionsOfUser {
  readonly #user: LoginName;
  readonly #defaultDomain: string;
  readonly #most: number;
  readonly #found: UserSession[] = [];
  /** By session: its lines so far, until it is known whose it is. */
  readonly #open = new Map<string, UserSession>();
  readonly #own = new Set<string>();

  /**
   * @param most how many are kept
   * @param defaultDomain of names without a domain; undefined: they may be the user's
   */
  constructor(user: LoginName, most: number, defaultDomain: string | undefined) {
    this.#user = user;
    this.#most = most;
    this.#defaultDomain = defaultDomain ?? user.domain;
  }

  add(line: LogLine): void {
    const id = line.members.get('session');
    if (id === undefined) return;
    let session = this.#open.get(id);
    if (session === undefined) {
      session = { lines: [] };
      this.#open.set(id, session);
      const [oldest] = this.#open.keys();
      if (this.#open.size > mostOpen && oldest !== undefined) this.#forget(oldest);
    }
    session.lines.push(line);
    if (this.#isOwn(line) && !this.#own.has(id)) {
      this.#own.add(id);
      this.#found.push(session);
      if (this.#found.length > this.#most) this.#found.shift();
    }
    if (line.event === 'logout') this.#forget(id);
  }

  /** The last ones, the oldest first. */
  get found(): readonly UserSession[] {
    return this.#found;
  }

  /** A failed login has the name that the client gave, and its octets as latin1. */
  #isOwn({ members }: LogLine): boolean {
    const given = members.get('user');
    if (given === undefined) return false;
    return (['utf8', 'latin1'] as const).some((encoding) => {
      const name = tryLoginName(Buffer.from(given, encoding), this.#defaultDomain);
      return name?.user === this.#user.user && name.domain === this.#user.domain;
    });
  }

  #forget(id: string): void {
    this.#open.delete(id);
    this.#own.delete(id);
  }
}
