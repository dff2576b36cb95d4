// The tables that passdb makes in a database server, the same as in SQLite. passdb-database(5)

import type { Dialect } from './named-parameters.js';

/** What makes what is missing, a statement each. */
export function serverSchema(dialect: Dialect): readonly string[] {
  // MySQL's names are octets, or it would take other letters for the same.
  const name =
    dialect === 'mysql' ? 'VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin' : 'TEXT';
  const text = dialect === 'mysql' ? 'VARCHAR(2048) CHARACTER SET utf8mb4' : 'TEXT';
  const octets = dialect === 'mysql' ? 'VARBINARY(64)' : 'BYTEA';
  return [
    `CREATE TABLE IF NOT EXISTS users (
      username ${name} NOT NULL,
      domain ${name} NOT NULL,
      password ${text} NOT NULL,
      active CHAR(1) NOT NULL DEFAULT 'Y',
      PRIMARY KEY (username, domain)
    )`,
    `CREATE TABLE IF NOT EXISTS app_passwords (
      username ${name} NOT NULL,
      domain ${name} NOT NULL,
      label ${name} NOT NULL,
      password ${text} NOT NULL,
      networks ${text},
      read_only INTEGER NOT NULL DEFAULT 0,
      days INTEGER,
      created BIGINT NOT NULL,
      expires BIGINT,
      PRIMARY KEY (username, domain, label)
    )`,
    `CREATE TABLE IF NOT EXISTS scram_decoy (secret ${octets} NOT NULL)`,
  ];
}

/** Whose row it is, is looked at again: the server may take other letters for the same. */
const ofName = 'username = :user AND domain = :domain';

/** Of a database in which there are no application passwords. */
export const usersQuery = `SELECT password, active, username, domain FROM users WHERE ${ofName}`;

export const passwordsQuery = `
  SELECT password, active, username, domain, NULL AS label, NULL AS networks, 0 AS read_only,
    NULL AS days, NULL AS expires
    FROM users WHERE ${ofName}
  UNION ALL
  SELECT app.password, users.active, app.username, app.domain, app.label, app.networks,
    app.read_only, app.days, app.expires
    FROM app_passwords AS app
    JOIN users ON users.username = app.username AND users.domain = app.domain
    WHERE app.username = :user AND app.domain = :domain`;
