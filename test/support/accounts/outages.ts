// What a kept worker tells clients while its database is stopped, killed, cut off, hangs, is slow or comes back, the same
// of each kind of server.

import type { Test } from 'tap';
import { makeCutOffHost } from '../peers/cut-off-host.js';
import { startMariadb, unlessMariadb } from '../peers/mariadb.js';
import { startPostgresql, unlessPostgresql } from '../peers/postgresql.js';
import { isDecided, type LoginStream } from './login-stream.js';
import { serveLogins, type OutageTerms } from './served-logins.js';

interface Server {
  sql(text: string): Promise<string>;
  stop(): Promise<void>;
  kill(): Promise<void>;
  start(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

interface Host {
  readonly address: string;
  readonly command: readonly string[];
}

export interface ServerKind {
  readonly name: string;
  unless(): string | false;
  /** @param at where it listens, besides its socket @returns the server, and what it is in a source as one of the hosts */
  start(t: Test, at?: Host): Promise<{ readonly server: Server; readonly host: string }>;
  sourceOf(hosts: readonly string[]): string;
  /** Statements that let all others wait for 3 s, as another program's long transaction does. */
  readonly locking: string;
}

const accounts = `CREATE TABLE users (username VARCHAR(255), domain VARCHAR(255), password TEXT NOT NULL,
  active CHAR(1) NOT NULL DEFAULT 'Y', PRIMARY KEY (username, domain));
  INSERT INTO users VALUES ('ann', 'example.org', '{PLAIN}secret', 'Y');`;

export const serverKinds: readonly ServerKind[] = [
  {
    name: 'PostgreSQL',
    unless: unlessPostgresql,
    async start(t, at) {
      const listening = at && {
        settings: `listen_addresses = '${at.address}'`,
        access: 'host all all samenet trust',
        within: at.command,
      };
      const server = await startPostgresql(t, accounts, listening);
      return { server, host: at?.address ?? server.folder };
    },
    sourceOf: (hosts) => `postgresql:///mail?host=${hosts.join(',')}&user=postgres`,
    locking: 'BEGIN; LOCK TABLE users; SELECT pg_sleep(3); COMMIT',
  },
  {
    name: 'MariaDB',
    unless: unlessMariadb,
    async start(t, at) {
      const remote = "CREATE USER mail@'%'; GRANT ALL ON mail.* TO mail@'%';";
      const server =
        at === undefined
          ? await startMariadb(t, accounts)
          : await startMariadb(
              t,
              accounts + remote,
              [`--bind-address=${at.address}`, '--skip-name-resolve'],
              at.command,
            );
      return { server, host: at?.address ?? server.socket };
    },
    sourceOf: (hosts) => `mysql://mail@${hosts.map(encodeURIComponent).join(',')}/mail`,
    locking: 'LOCK TABLES users WRITE; SELECT SLEEP(3); UNLOCK TABLES',
  },
];

/** Two hosts, of which one is stopped, killed or hangs, then both. */
export async function seeFailures(t: Test, kind: ServerKind, terms: OutageTerms): Promise<void> {
  const [one, other] = [await kind.start(t), await kind.start(t)];
  const [first, second] = [one.server, other.server];
  const served = await serveLogins(t, kind.sourceOf([one.host, other.host]), terms);
  const { stream } = served;
  const next = (seconds: number): ReturnType<LoginStream['next']> =>
    stream.next(seconds * terms.perSecond);
  await first.stop();
  await stream.decides('of the second host while the first is stopped');
  await first.start();
  await second.kill();
  await stream.decides('of the first host after the second was killed');
  await second.start();
  first.freeze();
  await stream.decides('of the second host while the first hangs', 200);
  second.freeze();
  t.notOk((await next(1.2)).some(isDecided), 'both hang: nothing is made up');
  first.thaw();
  second.thaw();
  await stream.decides('after both went on');
  await Promise.all([first.sql(kind.locking), second.sql(kind.locking)]);
  await stream.decides('after the tables were locked');
  await Promise.all([first.kill(), second.kill()]);
  t.notOk((await next(0.8)).some(isDecided), 'both killed: nothing is made up');
  await first.start();
  await stream.decides('after the first was started');
  await served.see();
}

/** A host that is cut off without a word: alone in one source, in another beside one that lives. */
export async function seeCutOff(t: Test, kind: ServerKind, terms: OutageTerms): Promise<void> {
  const remote = makeCutOffHost(t);
  const { host } = await kind.start(t, remote);
  const second = await kind.start(t);
  const alone = await serveLogins(t, kind.sourceOf([host]), terms);
  const paired = await serveLogins(t, kind.sourceOf([host, second.host]), terms);
  remote.cut();
  const cutMs = performance.now();
  const [lost] = await Promise.all([
    alone.stream.next(5.4 * terms.perSecond),
    paired.stream.decides('of the second host', 50),
  ]);
  t.notOk(lost.some(isDecided), 'cut off: nothing is made up');
  t.comment(`mended after ${(performance.now() - cutMs).toFixed(0)} ms`);
  remote.mend();
  await alone.stream.decides('after it was mended', 20);
  await paired.stream.decides('after it was mended', 20);
  await alone.see();
  await paired.see();
}
