// Edits the application passwords of a database server. For passdb, not for servers.

import { ConfigurationError } from '../../system/failures/failures.js';
import { maxRows } from '../accounts/account-source.js';
import type { AppPassword, AppPasswordStore, NewAppPassword } from '../accounts/account-store.js';
import type { LoginName } from '../accounts/login-name.js';
import type { EditedServer } from './edited-server.js';
import { asText } from './server-account-editor.js';

const table = 'app_passwords';
const where = 'WHERE username = :user AND domain = :domain';
const columns = 'username, domain, label, password, networks, read_only, days, created, expires';

/** Every method throws as those of EditedServer. */
export class ServerAppPasswordEditor implements AppPasswordStore {
  readonly #server: EditedServer;

  constructor(server: EditedServer) {
    this.#server = server;
  }

  add(name: LoginName, password: NewAppPassword): Promise<boolean> {
    const { label, password: stored, networks, isReadOnly, days, expiresAt } = password;
    return this.#server.edit(async (run) => {
      const { rows } = await run(`SELECT label FROM ${table} ${where}`, { ...name });
      if (rows.some(([other]) => asText(other) === label)) return false;
      // One place is for the password in `users`.
      if (rows.length >= maxRows - 1) {
        throw new ConfigurationError(
          `${name.user}@${name.domain} has ${maxRows - 1} application passwords, which is the most`,
        );
      }
      await run(
        `INSERT INTO ${table} (${columns})
         VALUES (:user, :domain, :label, :stored, :networks, :readOnly, :days, :created, :expires)`,
        {
          ...{ ...name, label, stored, networks, days },
          readOnly: isReadOnly ? 1 : 0,
          created: secondsOf(new Date()),
          expires: expiresAt === null ? null : secondsOf(expiresAt),
        },
      );
      return true;
    });
  }

  remove(name: LoginName, label: string): Promise<boolean> {
    return this.#server.edit(async (run) => {
      const values = { ...name, label };
      return (await run(`DELETE FROM ${table} ${where} AND label = :label`, values)).changes > 0;
    });
  }

  list(only: LoginName | null): Promise<readonly AppPassword[]> {
    return this.#server.read<readonly AppPassword[]>(
      [],
      async (run) => {
        const { rows } = await run(
          `SELECT ${columns} FROM ${table} ${only === null ? '' : where}
           ORDER BY domain, username, created, label`,
          only === null ? {} : { ...only },
        );
        return rows.map(asAppPassword);
      },
      table,
    );
  }

  close(): void {
    this.#server.close();
  }
}

function asAppPassword(row: readonly unknown[]): AppPassword {
  const [user, domain, label, password, networks, readOnly, days, created, expires] = row;
  return {
    user: asText(user),
    domain: asText(domain),
    label: asText(label),
    password: asText(password),
    networks: asText(networks) || null,
    isReadOnly: Number(readOnly) !== 0,
    days: days === null ? null : Number(days),
    createdAt: new Date(Number(created) * 1000),
    expiresAt: expires === null ? null : new Date(Number(expires) * 1000),
  };
}

function secondsOf(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
