// The tables that passdb makes. `users` has the shape that Dovecot's documentation shows, so that
// an IMAP server can share it; what Dovecot does not know stands beside it. passdb-database(5).

/** Makes what is missing. */
export const ownSchema = `
  CREATE TABLE IF NOT EXISTS users (
    username TEXT,
    domain TEXT,
    password TEXT NOT NULL,
    active CHAR(1) NOT NULL DEFAULT 'Y',
    PRIMARY KEY (username, domain)
  );
  CREATE TABLE IF NOT EXISTS app_passwords (
    username TEXT NOT NULL,
    domain TEXT NOT NULL,
    label TEXT NOT NULL,
    password TEXT NOT NULL,
    networks TEXT,
    read_only INTEGER NOT NULL DEFAULT 0,
    days INTEGER,
    created INTEGER NOT NULL,
    expires INTEGER,
    PRIMARY KEY (username, domain, label)
  );
  CREATE TABLE IF NOT EXISTS scram_decoy (secret BLOB NOT NULL);
`;

const ofName = 'username = :user AND domain = :domain';

/** Of a database in which there are no application passwords. */
export const usersQuery = `SELECT password, active FROM users WHERE ${ofName}`;

/**
 * Both kinds of passwords. Whether one has expired is not asked here: what depends on the time
 * could not be remembered.
 */
export const passwordsQuery = `
  SELECT password, active, NULL AS label, NULL AS networks, 0 AS read_only, NULL AS days,
    NULL AS expires
    FROM users WHERE ${ofName}
  UNION ALL
  SELECT app.password, users.active, app.label, app.networks, app.read_only, app.days, app.expires
    FROM app_passwords AS app JOIN users USING (username, domain)
    WHERE app.username = :user AND app.domain = :domain`;
