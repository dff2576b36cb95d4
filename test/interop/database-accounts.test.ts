// Accounts in PostgreSQL and MariaDB: in passdb's own tables, and in tables of another shape.

import t from 'tap';
import { seeClientsLogIn, unlessClients } from '../support/accounts/client-logins.js';
import { inTime, verdictInTime } from '../support/accounts/in-time.js';
import { openSources } from '../../src/auth/open-sources.js';
import { loginClient } from '../../src/auth/accounts/login-client.js';
import type { Verdict } from '../../src/auth/accounts/authenticator.js';
import {
  openAccountStore,
  openAppPasswordStore,
  using,
} from '../../src/auth/passdb/open-stores.js';
import { hashPassword } from '../../src/auth/stored/make-password.js';
import { startMariadb, unlessMariadb } from '../support/peers/mariadb.js';
import { startPostgresql, unlessPostgresql } from '../support/peers/postgresql.js';
import { poll } from '../support/suite/deadline.js';

const servers = [
  { name: 'PostgreSQL', start: startPostgresql, unless: unlessPostgresql },
  { name: 'MariaDB', start: startMariadb, unless: unlessMariadb },
] as const;

const schema = `CREATE TABLE users (username VARCHAR(255), domain VARCHAR(255), password TEXT NOT NULL,
  active CHAR(1) NOT NULL DEFAULT 'Y', PRIMARY KEY (username, domain));`;

const queried = `SELECT password, home, maildrop, networks, read_only, days, label FROM mailbox
  WHERE address = :address AND (:tls = 1 OR NOT needs_tls) AND :service <> ':user' AND :level >= 1`;

for (const { name, start, unless } of servers) {
  t.test(
    `curl, fetchmail and a SCRAM client log in with accounts in ${name}`,
    { skip: unless() || unlessClients() },
    async (t) => {
      const scram = await hashPassword('SCRAM-SHA-256', Buffer.from('secret'));
      const server = await start(
        t,
        `${schema} INSERT INTO users (username, domain, password) VALUES ('ann', 'example.org', '${scram}');`,
      );
      const { program } = await seeClientsLogIn(t, {
        env: { PASSDB: server.uri },
        user: 'ann@example.org',
        password: 'secret',
        mechanisms: 'clear and SCRAM',
      });
      t.match(program.stderr, /failure .*reason="wrong password"/);
      t.match(program.stderr, /failure .*reason="unknown user"/);
      await server.sql("UPDATE users SET active = 'N'");
      const opened = await openSources({ sources: [server.uri], allowsWeakSchemes: false });
      t.teardown(() => opened.close());
      const verify = (): Promise<Verdict> =>
        verdictInTime(() =>
          opened.verifyPassword(Buffer.from('ann@example.org'), Buffer.from('secret')),
        );
      t.match(await verify(), { verdict: 'rejected', reason: 'disabled user' });
      await server.sql('DROP TABLE users');
      t.match(
        await verify(),
        { verdict: 'unavailable', isLasting: true, reason: /users/ },
        'a table that is missing is no unknown user',
      );
    },
  );

  t.test(
    `SCRAM is announced for application passwords in ${name}, as long as one counts`,
    { skip: unless() },
    async (t) => {
      const server = await start(t);
      const ann = { user: 'ann', domain: 'example.org' };
      await using(openAccountStore({ source: server.uri }), async (users) =>
        users.add(ann, await hashPassword('BLF-CRYPT', Buffer.from('secret'))),
      );
      const isAnnounced = async (): Promise<boolean> => {
        const opened = await openSources({ sources: [server.uri], allowsWeakSchemes: false });
        t.teardown(() => opened.close());
        return opened.offersScram();
      };
      t.equal(await isAnnounced(), false, 'no application password');
      const password = await hashPassword('SCRAM-SHA-256', Buffer.from('device'));
      const unlimited = { networks: null, isReadOnly: false, days: null };
      for (const [label, seconds, isUsable] of [
        ['old', -60, false],
        ['phone', 3600, true],
      ] as const) {
        const expiresAt = new Date(Date.now() + seconds * 1000);
        await using(openAppPasswordStore({ source: server.uri }), (apps) =>
          apps.add(ann, { ...unlimited, label, password, expiresAt }),
        );
        if (isUsable) await inTime(isAnnounced, (isThere) => !isThere);
        else t.equal(await isAnnounced(), false, label);
      }
    },
  );

  t.test(
    `a query of ${name} gets what is known of the client, and its columns hold`,
    { skip: unless() },
    async (t) => {
      const server = await start(
        t,
        `CREATE TABLE mailbox (address VARCHAR(255), password TEXT, home TEXT, maildrop TEXT, networks TEXT,
           read_only BOOLEAN, days INTEGER, label VARCHAR(64), needs_tls BOOLEAN);
         INSERT INTO mailbox VALUES ('ann@example.org', '{PLAIN}secret', '/home/ann', NULL, NULL, FALSE, NULL, NULL, TRUE),
           ('ann@example.org', '{PLAIN}app', NULL, '/srv/ann', '192.0.2.0/24', TRUE, 30, 'phone', FALSE);`,
      );
      const opened = await openSources({
        sources: [server.uri],
        query: queried,
        allowsWeakSchemes: false,
      });
      t.teardown(() => opened.close());
      const verify = (password: string, isTls: boolean, level = 1): Promise<Verdict> =>
        verdictInTime(() =>
          opened.verifyPassword(
            Buffer.from('Ann@example.org'),
            Buffer.from(password),
            loginClient('192.0.2.7', { isTls, service: isTls ? 'pop3s' : 'pop3', level }),
          ),
        );
      t.match(await verify('secret', true), {
        verdict: 'accepted',
        grant: { home: '/home/ann', maildrop: null, isReadOnly: false, days: null, label: null },
      });
      t.match(await verify('secret', false), { verdict: 'rejected', reason: 'wrong password' });
      t.match(await verify('secret', true, 0), { verdict: 'rejected', reason: 'unknown user' });
      t.match(await verify('app', false), {
        verdict: 'accepted',
        grant: { home: null, maildrop: '/srv/ann', isReadOnly: true, days: 30, label: 'phone' },
      });
      t.equal(await opened.leastDays(), 1);
      t.match(
        await verdictInTime(() =>
          opened.verifyPassword(Buffer.from('"; DROP TABLE mailbox; --@x'), Buffer.from('x')),
        ),
        { verdict: 'rejected' },
      );
      t.equal((await server.sql('SELECT count(*) FROM mailbox')).trim(), '2');
    },
  );

  t.test(
    `a parameter of a query of ${name} may stand where nothing tells its type`,
    { skip: unless() },
    async (t) => {
      const isCompared =
        name === 'PostgreSQL' ? ':peer::inet <<= network::inet' : ':peer = network';
      const server = await start(
        t,
        `CREATE TABLE mailbox (address VARCHAR(255), password TEXT, network TEXT, needs_tls BOOLEAN);
         INSERT INTO mailbox VALUES ('ann@example.org', '{PLAIN}secret', '192.0.2.7', TRUE);`,
      );
      const opened = await openSources({
        sources: [server.uri],
        query: `SELECT password, concat(:user, '') AS label FROM mailbox WHERE address = :address
          AND (:peer IS NULL OR ${isCompared}) AND (:tls IS NULL OR :tls = 1 OR NOT needs_tls) AND (:tls)`,
        allowsWeakSchemes: false,
      });
      t.teardown(() => opened.close());
      for (const [peer, isTls, expected] of [
        ['192.0.2.7', true, { verdict: 'accepted', grant: { label: 'ann' } }],
        [undefined, true, { verdict: 'accepted' }],
        ['192.0.2.8', true, { verdict: 'rejected' }],
        ['192.0.2.7', false, { verdict: 'rejected' }],
      ] as const) {
        const verdict = await verdictInTime(() =>
          opened.verifyPassword(
            Buffer.from('ann@example.org'),
            Buffer.from('secret'),
            loginClient(peer, { isTls, service: 'pop3', level: 1 }),
          ),
        );
        t.match(verdict, expected, `${String(peer)} ${String(isTls)}`);
      }
    },
  );

  t.test(
    `statements are prepared in ${name}, once for a connection`,
    { skip: unless() },
    async (t) => {
      const server = await start(
        t,
        `${schema} INSERT INTO users VALUES ('ann', 'example.org', '{PLAIN}secret', 'Y');`,
      );
      // PostgreSQL shows the statements of the connection that asks.
      const plans = `(SELECT CAST(generic_plans + custom_plans AS TEXT) FROM pg_prepared_statements)`;
      const opened = await openSources({
        sources: [server.uri],
        query: `SELECT password, ${name === 'PostgreSQL' ? plans : 'NULL'} AS label
        FROM users WHERE username = :user AND domain = :domain`,
        allowsWeakSchemes: false,
      });
      t.teardown(() => opened.close());
      const logIn = (): Promise<Verdict> =>
        opened.verifyPassword(Buffer.from('ann@example.org'), Buffer.from('secret'));
      if (name === 'PostgreSQL') {
        await poll('a statement that was used before', async () => {
          const verdict = await logIn();
          return verdict.verdict === 'accepted' && Number(verdict.grant.label) > 1
            ? true
            : undefined;
        });
        return;
      }
      const count = 20;
      for (let login = 0; login < count; login += 1) await verdictInTime(logIn);
      const status = await server.sql("SHOW GLOBAL STATUS LIKE 'Com_stmt_%'");
      const counted = (what: string): number =>
        Number(new RegExp(`^Com_stmt_${what}\\t(\\d+)$`, 'm').exec(status)?.[1]);
      t.ok(counted('execute') >= count, status);
      t.ok(counted('prepare') < count / 2, 'again only for a connection that was made anew');
    },
  );

  t.test(`a query of ${name} writes nothing`, { skip: unless() }, async (t) => {
    const server = await start(
      t,
      `CREATE TABLE mailbox (address VARCHAR(255), password TEXT);
       INSERT INTO mailbox VALUES ('ann@example.org', '{PLAIN}secret');`,
    );
    const written = "INSERT INTO mailbox VALUES (:address, '{PLAIN}secret') RETURNING password";
    const opened = await openSources({
      sources: [server.uri],
      query: written,
      allowsWeakSchemes: false,
    });
    t.teardown(() => opened.close());
    const verdict = await verdictInTime(() =>
      opened.verifyPassword(Buffer.from('bob@example.org'), Buffer.from('secret')),
    );
    t.match(verdict, { verdict: 'unavailable', isLasting: true, reason: /read.only/i });
    t.equal((await server.sql('SELECT count(*) FROM mailbox')).trim(), '1');
  });
}
