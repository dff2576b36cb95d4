// Edits the users of a password database. Synchronous: for passdb, not for servers.

import type { AccountStore, ListedUser } from '../accounts/account-store.js';
import type { LoginName } from '../accounts/login-name.js';
import { EditedDatabase } from './edited-database.js';
import { hasTable } from './statements.js';

const where = 'WHERE username = :user AND domain = :domain';
const insert =
  'INSERT INTO users (username, domain, password, active) VALUES (:user, :domain, :password, :active)';

/** Thrown to undo an import. */
class UsersExist extends Error {}

/** Every method throws as those of EditedDatabase. */
export class AccountEditor extends EditedDatabase implements AccountStore {
  has(name: LoginName): boolean {
    return this.read((database) => {
      if (!hasTable(database, 'users')) return false;
      return database.prepare(`SELECT 1 FROM users ${where}`).first({ ...name }) !== undefined;
    });
  }

  /** @returns as stored; null when there is no such user */
  passwordOf(name: LoginName): string | null {
    return this.read((database) => {
      if (!hasTable(database, 'users')) return null;
      const row = database.prepare(`SELECT password FROM users ${where}`).first({ ...name });
      return row === undefined ? null : String(row[0]);
    });
  }

  /** @returns false when there is such a user already */
  add(name: LoginName, password: string): boolean {
    return this.#change(`${insert} ON CONFLICT DO NOTHING`, { ...name, password, active: 'Y' });
  }

  /**
   * Adds all users, or none.
   *
   * @param existing `replace`: a user who is there gets the new password and state
   * @returns indexes of users that are there already; where there are any, none was added
   */
  addAll(users: readonly ListedUser[], existing: 'refuse' | 'replace'): readonly number[] {
    const conflicts: number[] = [];
    const onConflict =
      existing === 'replace'
        ? '(username, domain) DO UPDATE SET password = excluded.password, active = excluded.active'
        : 'DO NOTHING';
    try {
      this.edit((database) => {
        const statement = database.prepare(`${insert} ON CONFLICT ${onConflict}`);
        for (const [index, { user, domain, password, isActive }] of users.entries()) {
          const row = { user, domain, password, active: isActive ? 'Y' : 'N' };
          if (statement.run(row) === 0) conflicts.push(index);
        }
        if (conflicts.length > 0) throw new UsersExist();
      });
    } catch (error) {
      if (conflicts.length === 0) throw error;
    }
    return conflicts;
  }

  /** @returns false when there is no such user */
  setPassword(name: LoginName, password: string): boolean {
    return this.#change(`UPDATE users SET password = :password ${where}`, { ...name, password });
  }

  /** Application passwords go with the user. @returns false when there is no such user */
  remove(name: LoginName): boolean {
    return this.edit((database) => {
      database.prepare(`DELETE FROM app_passwords ${where}`).run({ ...name });
      return database.prepare(`DELETE FROM users ${where}`).run({ ...name }) > 0;
    });
  }

  /** @returns false when there is no such user */
  enable(name: LoginName): boolean {
    return this.#change(`UPDATE users SET active = 'Y' ${where}`, { ...name });
  }

  /** @returns false when there is no such user */
  disable(name: LoginName): boolean {
    return this.#change(`UPDATE users SET active = 'N' ${where}`, { ...name });
  }

  /** All users, by domain and name. */
  list(): readonly ListedUser[] {
    return this.read((database) => {
      // A database whose creator died before its first edit has none.
      if (!hasTable(database, 'users')) return [];
      const rows = database
        .prepare('SELECT username, domain, password, active FROM users ORDER BY domain, username')
        .rows();
      return Array.from(rows, ([user, domain, password, active]) => ({
        user: String(user),
        domain: String(domain),
        password: String(password),
        isActive: active === 'Y',
      }));
    });
  }

  #change(sql: string, parameters: Readonly<Record<string, string>>): boolean {
    return this.edit((database) => database.prepare(sql).run(parameters) > 0);
  }
}
