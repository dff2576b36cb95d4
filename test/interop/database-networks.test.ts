// Database servers over TCP: passwords from the URI and from a file, TLS that is verified, and what is refused.

import { chmodSync, chownSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Verdict } from '../../src/auth/accounts/authenticator.js';
import { openSources } from '../../src/auth/open-sources.js';
import { makeCertificate, type CertificateFiles } from '../support/accounts/certificate.js';
import { verdictInTime } from '../support/accounts/in-time.js';
import { unlessInstalled } from '../support/peers/debian.js';
import { startMariadb, unlessMariadb } from '../support/peers/mariadb.js';
import { startPostgresql, unlessPostgresql } from '../support/peers/postgresql.js';
import { freePort } from '../support/suite/free-port.js';

const accounts = `CREATE TABLE users (username VARCHAR(255), domain VARCHAR(255), password TEXT NOT NULL,
  active CHAR(1) NOT NULL DEFAULT 'Y', PRIMARY KEY (username, domain));
  INSERT INTO users VALUES ('ann', 'example.org', '{PLAIN}secret', 'Y');`;

interface Material extends CertificateFiles {
  readonly passfile: string;
}

/** Files that the server, which is nobody where the tests run as root, may read. */
function makeMaterial(t: Test, port: number): Material {
  const folder = mkdtempSync(join(tmpdir(), 'database-tls-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  const files = makeCertificate(folder);
  if (process.geteuid?.() === 0) chownSync(files.key, 65_534, 65_534);
  const passfile = join(folder, 'passfile');
  writeFileSync(passfile, `127.0.0.1:${port}:mail:pop3d:hush\n`, { mode: 0o600 });
  return { ...files, passfile };
}

function verify(source: string): Promise<Verdict> {
  return verdictInTime(() => verifyOnce(source));
}

async function verifyOnce(source: string): Promise<Verdict> {
  const opened = await openSources({ sources: [source], allowsWeakSchemes: false });
  const verdict = await opened.verifyPassword(
    Buffer.from('ann@example.org'),
    Buffer.from('secret'),
  );
  opened.close();
  return verdict;
}

t.test(
  'PostgreSQL over TCP and TLS, with SCRAM',
  { skip: unlessPostgresql() || unlessInstalled('openssl') },
  async (t) => {
    const port = await freePort();
    const { cert, key, passfile } = makeMaterial(t, port);
    await startPostgresql(
      t,
      `CREATE ROLE pop3d LOGIN PASSWORD 'hush'; ${accounts} GRANT SELECT ON users TO pop3d`,
      {
        settings: `listen_addresses = '127.0.0.1'\nssl = on\nssl_cert_file = '${cert}'\nssl_key_file = '${key}'`,
        port,
        access: 'hostssl all pop3d 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 reject',
      },
    );
    const at = `127.0.0.1:${port}/mail`;
    const ca = `sslrootcert=${encodeURIComponent(cert)}`;
    const pass = `passfile=${encodeURIComponent(passfile)}`;
    for (const source of [
      `postgresql://pop3d:hush@${at}`,
      `postgresql://pop3d@${at}?${pass}&sslmode=require`,
      `postgresql://pop3d@${at}?${pass}&sslmode=verify-full&${ca}`,
      `postgresql://pop3d:hush@127.0.0.1:1,${at}?sslmode=verify-ca&${ca}`,
    ]) {
      t.match(await verify(source), { verdict: 'accepted' }, source);
    }
    for (const [source, isLasting, reason] of [
      [`postgresql://pop3d:wrong@${at}`, true, /password authentication failed/],
      [`postgresql://pop3d@${at}?sslmode=require`, true, /wants a password/],
      [`postgresql://pop3d:hush@${at}?sslmode=verify-full`, false, /self-signed/],
      [`postgresql://pop3d:hush@${at}?sslmode=disable`, true, /rejects connection/],
      [`postgresql://pop3d:hush@127.0.0.1:${port}/other`, true, /"other" does not exist/],
    ] as const) {
      const verdict = await verify(source);
      t.match(verdict, { verdict: 'unavailable', isLasting, reason }, source);
      t.notMatch(JSON.stringify(verdict), /hush|wrong/, 'the log learns no password');
    }
  },
);

t.test(
  'MariaDB over TCP and TLS',
  { skip: unlessMariadb() || unlessInstalled('openssl') },
  async (t) => {
    const port = await freePort();
    const { cert, key, passfile } = makeMaterial(t, port);
    const server = await startMariadb(t, accounts, [
      ...['--bind-address=127.0.0.1', `--port=${port}`, '--skip-name-resolve'],
      ...[`--ssl-cert=${cert}`, `--ssl-key=${key}`],
    ]);
    await server.sql(
      "CREATE USER open@'127.0.0.1'; GRANT SELECT ON mail.* TO open@'127.0.0.1'; CREATE USER pop3d@'127.0.0.1' IDENTIFIED BY 'hush' REQUIRE SSL; GRANT SELECT ON mail.* TO pop3d@'127.0.0.1'",
    );
    const at = `127.0.0.1:${port}/mail`;
    const ca = `ssl-ca=${encodeURIComponent(cert)}`;
    const pass = `passfile=${encodeURIComponent(passfile)}`;
    for (const source of [
      `mysql://pop3d:hush@${at}?ssl-mode=REQUIRED`,
      `mysql://pop3d@127.0.0.1:1,${at}?${pass}&ssl-mode=VERIFY_CA&${ca}`,
      `mysql://pop3d@${at}?${pass}&ssl-mode=VERIFY_IDENTITY&${ca}`,
      `mysql://open@${at}`,
    ]) {
      t.match(await verify(source), { verdict: 'accepted' }, source);
    }
    for (const [source, isLasting, reason] of [
      [`mysql://pop3d:wrong@${at}?ssl-mode=REQUIRED`, true, /Access denied/],
      [`mysql://pop3d:hush@${at}`, true, /Access denied/],
      [`mysql://pop3d@${at}?ssl-mode=REQUIRED`, true, /Access denied .*using password: NO/],
      ['mysql://pop3d@127.0.0.1:1/mail', false, /ECONNREFUSED/],
      [`mysql://pop3d:hush@${at}?ssl-mode=VERIFY_CA`, false, /self-signed/],
      [`mysql://pop3d:hush@127.0.0.1:${port}/other?ssl-mode=REQUIRED`, true, /'other'/],
    ] as const) {
      const verdict = await verify(source);
      t.match(verdict, { verdict: 'unavailable', isLasting, reason }, source);
      t.notMatch(JSON.stringify(verdict), /hush|wrong/, 'the log learns no password');
    }
  },
);
