// The run files of services/postfixadmin and services/ispmail, over databases as those make them.

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { inTime } from '../support/accounts/in-time.js';
import { MaildirFixture } from '../support/mail/maildir-fixture.js';
import { startMariadb, unlessMariadb } from '../support/peers/mariadb.js';
import { startPostgresql, unlessPostgresql } from '../support/peers/postgresql.js';
import { builtProgram, startProgram } from '../support/programs/run-program.js';
import { connectWireClient } from '../support/sessions/wire-client.js';

/** What `doveadm pw -s BLF-CRYPT` makes of "secret". */
const blowfish = '{BLF-CRYPT}$2y$05$EUnMWkdF3dAuAxIr.uP2N.4/sPCUuTgmmG1G9ANXaP1ovt8QiC6f6';

/**
 * Starts tcpsrun with the service's run file, edited to read `source`.
 *
 * @param maildir where ann@example.org has her mail, below the mail root
 * @returns the port
 */
async function serve(t: Test, service: string, source: string, maildir: string): Promise<number> {
  const mailRoot = mkdtempSync(join(tmpdir(), `${service}-`));
  t.teardown(() => rm(mailRoot, { recursive: true, force: true }));
  new MaildirFixture(join(mailRoot, maildir)).add('Subject: hello\n\nworld\n');
  const path = fileURLToPath(new URL(`../../../services/${service}/pop3.run`, import.meta.url));
  const runFile = join(mailRoot, 'pop3.run');
  const text = readFileSync(path, 'utf8');
  writeFileSync(
    runFile,
    text.replace(/^(argument --passdb\n)argument .*$/m, `$1argument "${source}"`),
  );
  const program = startProgram(t, 'tcpsrun', ['127.0.0.1', '0', runFile], {
    env: { POP3D: builtProgram('pop3d'), MAILROOT: mailRoot, FAILURE_DELAY: '0' },
  });
  const [, port] = await program.logLine(/listening.*\bport=(\d+)/);
  return Number(port);
}

/** The answer to PASS. */
function logIn(port: number, user: string): Promise<string> {
  return inTime(
    () => tryLogIn(port, user),
    (answer) => answer.startsWith('-ERR [SYS/TEMP]'),
  );
}

async function tryLogIn(port: number, user: string): Promise<string> {
  const client = await connectWireClient(port);
  await client.status();
  await client.ok(`USER ${user}`);
  const answer = await client.command('PASS secret');
  client.destroy();
  return answer;
}

/** As postfixadmin 3.3 makes them, but for columns that only its own pages use. */
function postfixadmin(truth: string): string {
  return `CREATE TABLE domain (domain VARCHAR(255) NOT NULL PRIMARY KEY, description VARCHAR(255) NOT NULL DEFAULT '',
      transport VARCHAR(255) NOT NULL DEFAULT 'virtual', active ${truth});
    CREATE TABLE mailbox (username VARCHAR(255) NOT NULL PRIMARY KEY, password VARCHAR(255) NOT NULL,
      name VARCHAR(255) NOT NULL DEFAULT '', maildir VARCHAR(255) NOT NULL, quota BIGINT NOT NULL DEFAULT 0,
      local_part VARCHAR(255) NOT NULL DEFAULT '', domain VARCHAR(255) NOT NULL, active ${truth});
    INSERT INTO domain (domain) VALUES ('example.org'), ('off.example');
    UPDATE domain SET active = (domain = 'example.org');
    INSERT INTO mailbox (username, password, maildir, domain) VALUES
      ('ann@example.org', '${blowfish}', 'example.org/ann/', 'example.org'),
      ('off@example.org', '${blowfish}', 'example.org/off/', 'example.org'),
      ('ann@off.example', '${blowfish}', 'off.example/ann/', 'off.example');
    UPDATE mailbox SET active = (username <> 'off@example.org');`;
}

for (const { name, start, unless, truth } of [
  {
    name: 'MariaDB',
    start: startMariadb,
    unless: unlessMariadb,
    truth: 'TINYINT(1) NOT NULL DEFAULT 1',
  },
  {
    name: 'PostgreSQL',
    start: startPostgresql,
    unless: unlessPostgresql,
    truth: 'BOOLEAN NOT NULL DEFAULT TRUE',
  },
] as const) {
  t.test(
    `postfixadmin in ${name}: active users of active domains log in, and have the mail that they had`,
    { skip: unless() },
    async (t) => {
      const { uri } = await start(t, postfixadmin(truth));
      const port = await serve(t, 'postfixadmin', uri, 'example.org/ann');
      t.match(await logIn(port, 'ann@example.org'), /^\+OK .*1 message/);
      t.match(await logIn(port, 'Ann@Example.org'), /^\+OK/);
      for (const user of ['off@example.org', 'ann@off.example', 'nobody@example.org']) {
        t.match(await logIn(port, user), /^-ERR \[AUTH\]/, user);
      }
    },
  );
}

t.test(
  'ISPmail: users log in, and have the mail that they had',
  { skip: unlessMariadb() },
  async (t) => {
    const { uri } = await startMariadb(
      t,
      `CREATE TABLE virtual_domains (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(50) NOT NULL);
       CREATE TABLE virtual_users (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, domain_id INT NOT NULL,
         email VARCHAR(100) NOT NULL UNIQUE, password VARCHAR(150) NOT NULL, quota BIGINT NOT NULL DEFAULT 0,
         FOREIGN KEY (domain_id) REFERENCES virtual_domains(id) ON DELETE CASCADE);
       INSERT INTO virtual_domains (name) VALUES ('example.org');
       INSERT INTO virtual_users (domain_id, email, password) VALUES (1, 'ann@example.org', '${blowfish}');`,
    );
    const port = await serve(t, 'ispmail', uri, 'example.org/ann/Maildir');
    t.match(await logIn(port, 'ann@example.org'), /^\+OK .*1 message/);
    t.match(await logIn(port, 'nobody@example.org'), /^-ERR \[AUTH\]/);
  },
);
