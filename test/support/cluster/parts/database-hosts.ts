// Two hosts with PostgreSQL, a primary and a standby that streams from it, with the tables and
// roles of services/postgresql.

import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startPostgresql, type PostgresqlServer } from '../../peers/postgresql.js';
import { runProgram, type Teardown } from '../../programs/run-program.js';
import { poll } from '../../suite/deadline.js';
import type { Host } from './hosts.js';

const shipped = new URL('../../../../../services/postgresql/schema.sql', import.meta.url);
/** A question costs a process. */
const pauseMs = 200;

export interface DatabaseHost {
  readonly host: Host;
  readonly server: PostgresqlServer;
}

export class DatabaseHosts {
  /** In the order in which nodes ask them. */
  readonly hosts: readonly [DatabaseHost, DatabaseHost];
  primary: DatabaseHost;
  readonly #t: Teardown;

  private constructor(t: Teardown, hosts: readonly [DatabaseHost, DatabaseHost]) {
    this.#t = t;
    this.hosts = hosts;
    this.primary = hosts[0];
  }

  /** @param accounts passwords by user, of example.org */
  static async start(
    t: Teardown,
    [first, second]: readonly [Host, Host],
    accounts: ReadonlyMap<string, string>,
  ): Promise<DatabaseHosts> {
    const optionsOf = ({ address, command }: Host) => ({
      settings: `listen_addresses = '${address}'`,
      access:
        'host mail pop3,passdb 192.0.2.0/24 trust\nhost replication postgres 192.0.2.0/24 trust',
      within: command,
    });
    const rows = [...accounts].map(
      ([user, password]) => `('${user}', 'example.org', '{PLAIN}${password}')`,
    );
    const insert = `INSERT INTO users VALUES ${rows.join()};`;
    const schema = readFileSync(fileURLToPath(shipped), 'utf8') + insert;
    const primary = await startPostgresql(t, schema, optionsOf(first));
    const standby = await startPostgresql(t, '', { ...optionsOf(second), copyOf: first.address });
    const made = new DatabaseHosts(t, [
      { host: first, server: primary },
      { host: second, server: standby },
    ]);
    await made.caughtUp();
    return made;
  }

  get standby(): DatabaseHost {
    const [first, second] = this.hosts;
    return this.primary === first ? second : first;
  }

  /** As `--passdb` has it. */
  uri(role: 'pop3' | 'passdb'): string {
    const [first, second] = this.hosts.map(({ host }) => host.address);
    return `postgresql://${role}@${first ?? ''},${second ?? ''}/mail`;
  }

  /** Waits until the standby has all that the primary has. */
  async caughtUp(): Promise<void> {
    const isTheSame = 'SELECT replay_lsn = pg_current_wal_lsn() FROM pg_stat_replication';
    await poll('the standby to have all', async () => {
      await delay(pauseMs);
      return (await this.primary.server.sql(isTheSame)) === 't\n' ? true : undefined;
    });
  }

  /** Makes the standby the primary. */
  async promote(): Promise<void> {
    const { standby } = this;
    const answer = await standby.server.sql('SELECT pg_promote()');
    if (answer !== 't\n') throw new Error(`pg_promote() says ${answer}`);
    this.primary = standby;
  }

  /** Lets the one that was the primary, and does not run, stream from the one that is. */
  async rejoin(): Promise<void> {
    const { server } = this.standby;
    await server.copyFrom(this.primary.host.address);
    await server.start();
    await this.caughtUp();
  }

  /** As an administrator does it. */
  async setPassword(user: string, password: string): Promise<void> {
    const words = ['--passdb', this.uri('passdb'), 'set', `${user}@example.org`];
    const { status, stderr } = await runProgram(this.#t, 'passdb', words, {
      input: `${password}\n`,
    });
    if (status !== 0) throw new Error(stderr);
  }

  /** Lets one of them take so many seconds for each question about a user. */
  async slowDown({ host }: DatabaseHost, [least, most]: readonly [number, number]): Promise<void> {
    await this.primary.server.sql(`
      CREATE POLICY slow ON users USING ((SELECT CASE inet_server_addr()
        WHEN '${host.address}' THEN pg_sleep(${least} + random() * ${most - least}) IS NOT NULL
        ELSE true END));
      ALTER TABLE users ENABLE ROW LEVEL SECURITY`);
  }

  async speedUp(): Promise<void> {
    await this.primary.server.sql(
      'ALTER TABLE users DISABLE ROW LEVEL SECURITY; DROP POLICY slow ON users',
    );
  }

  /** How many nodes asked one of them of late: connections that were cut off stay for longer. */
  async nodesAt({ server }: DatabaseHost): Promise<number> {
    const clients = await server.sql(`
      SELECT count(DISTINCT client_addr) FROM pg_stat_activity
      WHERE usename = 'pop3' AND state_change > now() - interval '1 s'`);
    return Number(clients);
  }
}
