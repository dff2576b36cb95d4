// Edits the application passwords of a password database. Synchronous: for passdb, not for servers.

import { maxRows } from '../accounts/account-source.js';
import type { AppPassword, AppPasswordStore, NewAppPassword } from '../accounts/account-store.js';
import type { LoginName } from '../accounts/login-name.js';
import { ConfigurationError } from '../../system/failures/failures.js';
import type { SqliteRow, SqliteValue } from '../../system/sqlite/sqlite.js';
import { EditedDatabase } from './edited-database.js';
import { hasTable } from './statements.js';

const where = 'WHERE username = :user AND domain = :domain';

/** Every method throws as those of EditedDatabase. */
export class AppPasswordEditor extends EditedDatabase implements AppPasswordStore {
  /**
   * @returns false when the user has a password of this label
   * @throws ConfigurationError also for more passwords than one user may have
   */
  add(name: LoginName, password: NewAppPassword): boolean {
    return this.edit((database) => {
      const count = database.prepare(`SELECT count(*) FROM app_passwords ${where}`);
      // One place is for the password in `users`.
      if (Number(count.first({ ...name })?.[0]) >= maxRows - 1) {
        throw new ConfigurationError(
          `${name.user}@${name.domain} has ${maxRows - 1} application passwords, which is the most`,
        );
      }
      const insert = database.prepare(
        `INSERT INTO app_passwords
           (username, domain, label, password, networks, read_only, days, created, expires)
         VALUES (:user, :domain, :label, :password, :networks, :readOnly, :days, :created, :expires)
         ON CONFLICT DO NOTHING`,
      );
      const { label, password: stored, networks, isReadOnly, days, expiresAt } = password;
      const row = {
        ...name,
        ...{ label, password: stored, networks, days: asInteger(days) },
        readOnly: isReadOnly ? 1n : 0n,
        created: asInteger(secondsOf(new Date())),
        expires: asInteger(expiresAt === null ? null : secondsOf(expiresAt)),
      };
      return insert.run(row) > 0;
    });
  }

  /** @returns false when there is none of this label */
  remove(name: LoginName, label: string): boolean {
    return this.edit(
      (database) =>
        database
          .prepare(`DELETE FROM app_passwords ${where} AND label = :label`)
          .run({ ...name, label }) > 0,
    );
  }

  /** Of one user, or of all, by domain, user and time. */
  list(only: LoginName | null): readonly AppPassword[] {
    return this.read((database) => {
      if (!hasTable(database, 'app_passwords')) return [];
      const statement = database.prepare(
        `SELECT username, domain, label, password, networks, read_only, days, created, expires
           FROM app_passwords ${only === null ? '' : where} ORDER BY domain, username, created, label`,
      );
      return Array.from(statement.rows(only === null ? [] : { ...only }), asAppPassword);
    });
  }
}

function asAppPassword(row: SqliteRow): AppPassword {
  const [user, domain, label, password, networks, readOnly, days, created, expires] = row;
  return {
    user: String(user),
    domain: String(domain),
    label: String(label),
    password: String(password),
    networks: typeof networks === 'string' && networks !== '' ? networks : null,
    isReadOnly: readOnly !== 0,
    days: typeof days === 'number' ? days : null,
    createdAt: dateOf(created) ?? new Date(0),
    expiresAt: dateOf(expires),
  };
}

function secondsOf(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

function dateOf(seconds: SqliteValue | undefined): Date | null {
  return typeof seconds === 'number' ? new Date(seconds * 1000) : null;
}

/** Other numbers would be REAL to SQLite. */
function asInteger(value: number | null): bigint | null {
  return value === null ? null : BigInt(value);
}
