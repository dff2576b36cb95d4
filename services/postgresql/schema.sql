-- The tables of passdb-database(5), and roles with the least rights, for PostgreSQL 13 or later. Install them on the primary, as its
-- superuser:
--   createdb mail && psql -v ON_ERROR_STOP=1 --single-transaction -d mail -f schema.sql
--   psql -d mail -c '\password pop3' -c '\password passdb' -c '\password pop3_failures'
-- and in pg_hba.conf of primary and standby, with the addresses of your nodes:
--   hostssl mail pop3,passdb,pop3_failures 192.0.2.0/24 scram-sha-256
-- A node then has, with the passwords in a file of mode 0600 (db1:*:mail:pop3:PASSWORD, and a line for db2):
--   pop3d --passdb 'postgresql://pop3@db1,db2/mail?sslmode=verify-full&passfile=/etc/pop3/database-password'

-- pop3d: reads stored passwords, and nothing else. Not even by mistake does it write.
CREATE ROLE pop3 LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
ALTER ROLE pop3 SET default_transaction_read_only = on;
-- passdb: adds, changes and removes accounts.
CREATE ROLE passdb LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
-- pop3d --failed-logins: tells other nodes of failed logins.
CREATE ROLE pop3_failures LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;

REVOKE ALL ON DATABASE mail FROM PUBLIC;
GRANT CONNECT ON DATABASE mail TO pop3, passdb, pop3_failures;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO pop3, passdb, pop3_failures;

CREATE TABLE users (
    username TEXT NOT NULL,
    domain TEXT NOT NULL,
    password TEXT NOT NULL,
    active CHAR(1) NOT NULL DEFAULT 'Y',
    PRIMARY KEY (username, domain)
);
CREATE TABLE app_passwords (
    username TEXT NOT NULL,
    domain TEXT NOT NULL,
    label TEXT NOT NULL,
    password TEXT NOT NULL,
    networks TEXT,
    read_only INTEGER NOT NULL DEFAULT 0,
    days INTEGER,
    created BIGINT NOT NULL,
    expires BIGINT,
    PRIMARY KEY (username, domain, label)
);
-- One secret, from which all nodes make up the same salts for unknown users.
CREATE TABLE scram_decoy (secret BYTEA NOT NULL);
INSERT INTO scram_decoy VALUES (sha256(convert_to(concat(gen_random_uuid(), gen_random_uuid()), 'UTF8')));

GRANT SELECT ON users, app_passwords, scram_decoy TO pop3, passdb;
GRANT INSERT, UPDATE, DELETE ON users, app_passwords TO passdb;

-- For --failed-logins of pop3d: the networks of the last ten minutes. Not worth a log: whoever loses the table loses a round of guesses.
CREATE UNLOGGED TABLE failed_logins (
    network TEXT PRIMARY KEY,
    count INTEGER NOT NULL,
    last_at TIMESTAMPTZ NOT NULL,
    answer_at TIMESTAMPTZ NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON failed_logins TO pop3_failures;
