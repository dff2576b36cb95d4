// Two hosts with PostgreSQL, a primary and a standby that streams from it, with the tables and roles of services/postgresql.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startPostgresql, type PostgresqlServer } from '../../peers/postgresql.js';
import type { Teardown } from '../../programs/run-program.js';
import { poll } from '../../suite/deadline.js';
import type { Host } from './hosts.js';

const shipped = new URL('../../../../../services/postgresql/schema.sql', import.meta.url);

export interface DatabaseHosts {
  readonly primary: PostgresqlServer;
  /** As `--passdb` has it. */
  readonly uri: string;
}

/** @param accounts passwords by user, of example.org */
export async function startDatabases(
  t: Teardown,
  [first, second]: readonly [Host, Host],
  accounts: ReadonlyMap<string, string>,
): Promise<DatabaseHosts> {
  const optionsOf = ({ address, command }: Host) => ({
    settings: `listen_addresses = '${address}'`,
    access: 'host mail pop3 192.0.2.0/24 trust\nhost replication postgres 192.0.2.0/24 trust',
    within: command,
  });
  const rows = [...accounts].map(
    ([user, password]) => `('${user}', 'example.org', '{PLAIN}${password}')`,
  );
  const insert = `INSERT INTO users VALUES ${rows.join()};`;
  const schema = readFileSync(fileURLToPath(shipped), 'utf8') + insert;
  const primary = await startPostgresql(t, schema, optionsOf(first));
  const standby = await startPostgresql(t, '', { ...optionsOf(second), copyOf: first.address });
  await poll('the standby to have all accounts', async () =>
    (await standby.sql('SELECT count(*) FROM users')) === `${accounts.size}\n` ? true : undefined,
  );
  return { primary, uri: `postgresql://pop3@${first.address},${second.address}/mail` };
}
