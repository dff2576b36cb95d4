// A password database as passdb-database(5) lays it out, made with SQL of the tests' own.

import { SqliteFile } from './sqlite-file.js';

/**
 * Creates the database with `{PLAIN}` passwords, which cost no time to verify.
 *
 * @param accounts password, or a crypt(3) or `{SCHEME}` string, by address, e.g. `{ 'ann@example.org': 'secret' }`
 */
export function makePasswordDatabase(
  path: string,
  accounts: Readonly<Record<string, string>>,
): void {
  const database = new SqliteFile(path);
  database.exec(`CREATE TABLE users(
    username TEXT, domain TEXT, password TEXT NOT NULL,
    active CHAR(1) NOT NULL DEFAULT 'Y', PRIMARY KEY(username, domain))`);
  database.close();
  addAccounts(path, accounts);
}

/** Adds users to a database that `makePasswordDatabase` made. */
export function addAccounts(path: string, accounts: Readonly<Record<string, string>>): void {
  const database = new SqliteFile(path);
  const insert = database.prepare('INSERT INTO users(username, domain, password) VALUES (?, ?, ?)');
  for (const [address, password] of Object.entries(accounts)) {
    const [user = '', domain = ''] = address.split('@');
    insert.run(user, domain, /^[{$]/.test(password) ? password : `{PLAIN}${password}`);
  }
  database.close();
}
