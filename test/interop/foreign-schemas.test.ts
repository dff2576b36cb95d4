// The run files of services/postfixadmin and services/ispmail, with nothing changed but paths and ports: over databases as
// those make them, and Maildirs in which a real Dovecot has put mail and given unique-ids.

import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { inTime } from '../support/accounts/in-time.js';
import {
  fillDovecot,
  idsBySubject,
  mailOwner,
  SharedMailstore,
} from '../support/mail/shared-mailstore.js';
import { startDovecot, unlessDovecot } from '../support/peers/dovecot.js';
import { startMariadb, unlessMariadb } from '../support/peers/mariadb.js';
import { startPostgresql, unlessPostgresql } from '../support/peers/postgresql.js';
import { builtProgram, startProgram } from '../support/programs/run-program.js';
import { connectWireClient, type WireClient } from '../support/sessions/wire-client.js';
import { freePort } from '../support/suite/free-port.js';
import { testFolder } from '../support/suite/test-folder.js';

/** What `doveadm pw -s BLF-CRYPT` makes of "secret". */
const blowfish = '{BLF-CRYPT}$2y$05$EUnMWkdF3dAuAxIr.uP2N.4/sPCUuTgmmG1G9ANXaP1ovt8QiC6f6';

interface Recipe {
  readonly service: 'ispmail' | 'postfixadmin';
  /** Dovecot's mail location, below the mail root. */
  readonly layout: string;
  /** Names of the run file, and what they are here. */
  readonly changes: Readonly<Record<string, string>>;
  /** A line of the file with the database's password. */
  readonly passwordLine: string;
  readonly dump: () => Promise<string>;
}

/**
 * Has Dovecot give unique-ids to ann's mail, and then serves it by the recipe's run file.
 *
 * @returns the port
 */
async function serve(t: Test, recipe: Recipe): Promise<number> {
  const { service, layout, changes, passwordLine, dump } = recipe;
  const store = SharedMailstore.make(t, 'ann');
  const { mailRoot } = store;
  const dovecot = await startDovecot(t, {
    mailRoot,
    passdb: store.passdb,
    mailUser: mailOwner,
    settings: `mail_location = maildir:${mailRoot}/${layout}`,
  });
  const ids = await fillDovecot(dovecot);
  await dovecot.stop();

  const folder = testFolder(t, { password: `${passwordLine}\n` });
  const passwordFile = join(folder, 'password');
  chmodSync(passwordFile, 0o600);
  const here = {
    '/etc/pop3/database-password': passwordFile,
    'chdir /var/vmail': `chdir ${mailRoot}`,
    ...changes,
  };
  const path = fileURLToPath(new URL(`../../../services/${service}/pop3.run`, import.meta.url));
  let text = readFileSync(path, 'utf8');
  for (const [there, change] of Object.entries(here)) {
    t.ok(text.includes(there), there);
    text = text.replaceAll(there, change);
  }
  const runFile = join(folder, 'pop3.run');
  writeFileSync(runFile, text);
  const program = startProgram(t, 'tcpsrun', ['127.0.0.1', '0', runFile], {
    env: { POP3D: builtProgram('pop3d'), FAILURE_DELAY: '0' },
  });
  const [, port] = await program.logLine(/listening.*\bport=(\d+)/);

  const before = { files: stateOf(mailRoot), database: await dump() };
  const { answer, client } = await openSession(Number(port), 'ann@example.org');
  t.equal(answer, '+OK Logged in, 2 messages');
  t.strictSame(await idsBySubject(client), ids, 'the unique-ids that Dovecot gave');
  t.match((await client.message('RETR 1')).toString(), /^Subject: two\r\n\r\nbody of two\r\n/);
  await client.ok('QUIT');
  await program.logLine(/logout .*reason=quit/);
  t.strictSame(stateOf(mailRoot), before.files, 'mail, flags and lists are as they were');
  t.equal(await dump(), before.database, 'the database is as it was');
  t.notMatch(program.stderr, /warning|unique-ids-made-up/);
  return Number(port);
}

/** What is below a folder, but for the one file that pop3d keeps for itself. */
function stateOf(folder: string): readonly (readonly string[])[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.endsWith('/pop3d.octets'))
    .sort()
    .map((name) => {
      const path = join(folder, name);
      const { mode, uid, gid, ino, mtimeMs } = lstatSync(path);
      // A new file beside the mail changes the time of the Maildir itself.
      if ((mode & 0o170000) === 0o040000) return [name, `${mode} ${uid} ${gid}`];
      const digest = createHash('sha256').update(readFileSync(path)).digest('hex');
      return [name, `${mode} ${uid} ${gid}`, `${ino} ${mtimeMs}`, digest];
    });
}

/** The answer to PASS of a database that answered in time. */
async function logIn(port: number, user: string): Promise<string> {
  const { answer, client } = await openSession(port, user);
  client.destroy();
  return answer;
}

interface Session {
  readonly answer: string;
  readonly client: WireClient;
}

function openSession(port: number, user: string): Promise<Session> {
  return inTime(
    async () => {
      const client = await connectWireClient(port);
      await client.status();
      await client.ok(`USER ${user}`);
      return { answer: await client.command('PASS secret'), client };
    },
    ({ answer, client }) => {
      const isLate = answer.startsWith('-ERR [SYS/TEMP]');
      if (isLate) client.destroy();
      return isLate;
    },
  );
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

type Databases = (t: Test) => Promise<Pick<Recipe, 'changes' | 'passwordLine' | 'dump'>>;

const postfixadmins: Readonly<Record<string, { unless: () => string | false; make: Databases }>> = {
  MariaDB: {
    unless: unlessMariadb,
    async make(t) {
      const server = await startMariadb(
        t,
        `CREATE DATABASE postfix; CREATE USER postfix@localhost IDENTIFIED BY 'sesame';
         GRANT SELECT ON postfix.* TO postfix@localhost;
         USE postfix; ${postfixadmin('TINYINT(1) NOT NULL DEFAULT 1')}`,
      );
      return {
        changes: { '/run/mysqld/mysqld.sock': server.socket },
        passwordLine: 'localhost:*:postfix:postfix:sesame',
        dump: () => server.dump('postfix'),
      };
    },
  },
  PostgreSQL: {
    unless: unlessPostgresql,
    async make(t) {
      const server = await startPostgresql(
        t,
        `CREATE USER postfix PASSWORD 'sesame'; ${postfixadmin('BOOLEAN NOT NULL DEFAULT TRUE')}
         GRANT SELECT ON domain, mailbox TO postfix;`,
        { access: 'local all postfix scram-sha-256' },
      );
      // As the file's first lines say.
      const uri = `postgresql:///mail?host=${server.folder}&user=postfix&passfile=`;
      return {
        changes: { 'mysql://postfix@/postfix?socket=/run/mysqld/mysqld.sock&passfile=': uri },
        passwordLine: 'localhost:*:mail:postfix:sesame',
        dump: () => server.dump(),
      };
    },
  },
};

for (const [name, { unless, make }] of Object.entries(postfixadmins)) {
  t.test(
    `postfixadmin in ${name}: active users of active domains have their mail, and nothing changes`,
    { skip: unless() || unlessDovecot() },
    async (t) => {
      const database = await make(t);
      const port = await serve(t, { service: 'postfixadmin', layout: '%d/%n', ...database });
      t.match(await logIn(port, 'Ann@Example.org'), /^\+OK .*2 messages/);
      for (const user of ['off@example.org', 'ann@off.example', 'nobody@example.org']) {
        t.match(await logIn(port, user), /^-ERR \[AUTH\]/, user);
      }
    },
  );
}

t.test(
  'ISPmail: users have their mail, and nothing changes',
  { skip: unlessMariadb() || unlessDovecot() },
  async (t) => {
    const databasePort = await freePort();
    const server = await startMariadb(
      t,
      `CREATE DATABASE mailserver; CREATE USER mailserver@127.0.0.1 IDENTIFIED BY 'sesame';
       GRANT SELECT ON mailserver.* TO mailserver@127.0.0.1; USE mailserver;
       CREATE TABLE virtual_domains (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(50) NOT NULL);
       CREATE TABLE virtual_users (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, domain_id INT NOT NULL,
         email VARCHAR(100) NOT NULL UNIQUE, password VARCHAR(150) NOT NULL, quota BIGINT NOT NULL DEFAULT 0,
         FOREIGN KEY (domain_id) REFERENCES virtual_domains(id) ON DELETE CASCADE);
       INSERT INTO virtual_domains (name) VALUES ('example.org');
       INSERT INTO virtual_users (domain_id, email, password) VALUES (1, 'ann@example.org', '${blowfish}');`,
      ['--bind-address=127.0.0.1', `--port=${databasePort}`],
    );
    const port = await serve(t, {
      service: 'ispmail',
      layout: '%d/%n/Maildir',
      changes: { '@127.0.0.1/': `@127.0.0.1:${databasePort}/` },
      passwordLine: '127.0.0.1:*:mailserver:mailserver:sesame',
      dump: () => server.dump('mailserver'),
    });
    t.match(await logIn(port, 'nobody@example.org'), /^-ERR \[AUTH\]/);
  },
);
