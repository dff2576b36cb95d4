// Edits the users of a database server. For passdb, not for servers.

import type { AccountStore, ListedUser } from '../accounts/account-store.js';
import type { LoginName } from '../accounts/login-name.js';
import type { EditedServer, Run, Values } from './edited-server.js';
import type { SqlResult } from './sql-driver.js';

const where = 'WHERE username = :user AND domain = :domain';
const insert =
  'INSERT INTO users (username, domain, password, active) VALUES (:user, :domain, :password, :active)';

/** Thrown to undo an edit. */
class UsersExist extends Error {}

/** Every method throws as those of EditedServer. */
export class ServerAccountEditor implements AccountStore {
  readonly #server: EditedServer;

  constructor(server: EditedServer) {
    this.#server = server;
  }

  async has(name: LoginName): Promise<boolean> {
    return (await this.passwordOf(name)) !== null;
  }

  passwordOf(name: LoginName): Promise<string | null> {
    return this.#server.read(null, async (run) => {
      const { rows } = await run(`SELECT password FROM users ${where}`, { ...name });
      const [row] = rows;
      return row === undefined ? null : asText(row[0]);
    });
  }

  async add({ user, domain }: LoginName, password: string): Promise<boolean> {
    const users = [{ user, domain, password, isActive: true }];
    return (await this.addAll(users, 'refuse')).length === 0;
  }

  async addAll(
    users: readonly ListedUser[],
    existing: 'refuse' | 'replace',
  ): Promise<readonly number[]> {
    const conflicts: number[] = [];
    try {
      await this.#server.edit(async (run) => {
        for (const [index, user] of users.entries()) {
          if (!(await addOne(run, user, existing))) conflicts.push(index);
        }
        if (conflicts.length > 0) throw new UsersExist();
      });
    } catch (error) {
      if (!(error instanceof UsersExist)) throw error;
    }
    return conflicts;
  }

  setPassword(name: LoginName, password: string): Promise<boolean> {
    return this.#change('password = :password', { ...name, password });
  }

  remove(name: LoginName): Promise<boolean> {
    return this.#server.edit(async (run) => {
      await run(`DELETE FROM app_passwords ${where}`, { ...name });
      return changed(await run(`DELETE FROM users ${where}`, { ...name }));
    });
  }

  enable(name: LoginName): Promise<boolean> {
    return this.#change("active = 'Y'", { ...name });
  }

  disable(name: LoginName): Promise<boolean> {
    return this.#change("active = 'N'", { ...name });
  }

  list(): Promise<readonly ListedUser[]> {
    return this.#server.read<readonly ListedUser[]>([], async (run) => {
      const { rows } = await run(
        'SELECT username, domain, password, active FROM users ORDER BY domain, username',
      );
      return rows.map(([user, domain, password, active]) => ({
        user: asText(user),
        domain: asText(domain),
        password: asText(password),
        isActive: active === 'Y',
      }));
    });
  }

  close(): void {
    this.#server.close();
  }

  #change(what: string, values: Values): Promise<boolean> {
    return this.#server.edit(async (run) => {
      // MySQL does not count rows that were so before.
      const { rows } = await run(`SELECT 1 FROM users ${where}`, values);
      if (rows.length === 0) return false;
      await run(`UPDATE users SET ${what} ${where}`, values);
      return true;
    });
  }
}

async function addOne(
  run: Run,
  { user, domain, password, isActive }: ListedUser,
  existing: 'refuse' | 'replace',
): Promise<boolean> {
  const values = { user, domain, password, active: isActive ? 'Y' : 'N' };
  const { rows } = await run(`SELECT 1 FROM users ${where}`, values);
  if (rows.length > 0 && existing === 'refuse') return false;
  await run(
    rows.length === 0 ? insert : `UPDATE users SET password = :password, active = :active ${where}`,
    values,
  );
  return true;
}

function changed({ changes }: SqlResult): boolean {
  return changes > 0;
}

export function asText(value: unknown): string {
  if (Buffer.isBuffer(value)) return value.toString('utf8');
  return typeof value === 'string' ? value : '';
}
