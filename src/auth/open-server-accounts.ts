// An account source on a database server, from its URI.

import { ConfigurationError } from '../system/failures/failures.js';
import type { AccountSource } from './accounts/account-source.js';
import { MysqlDriver } from './mysql/mysql-driver.js';
import { PostgresqlDriver } from './postgresql/postgresql-driver.js';
import { bindParameters } from './sql-servers/named-parameters.js';
import { parseServerAddress, type ServerAddress } from './sql-servers/server-address.js';
import { ServerAccounts } from './sql-servers/server-accounts.js';
import { defaultPoolLimits, ServerPool } from './sql-servers/server-pool.js';
import type { SqlDriver } from './sql-servers/sql-driver.js';

export interface ServerAccountsSettings {
  readonly query?: string | undefined;
  readonly sessions?: 'one' | 'many' | undefined;
}

/** Long enough for the second query of a login. */
const idleMsOfOneSession = 1000;

/** @throws ConfigurationError for a URI or a query that cannot be understood */
export function openServerAccounts(
  uri: string,
  { query, sessions }: ServerAccountsSettings,
): AccountSource {
  const address = parseServerAddress(uri);
  const driver = driverFor(address);
  const pool = new ServerPool(
    address,
    driver,
    sessions === 'one' ? { idleMs: idleMsOfOneSession } : {},
  );
  const dialect = address.scheme;
  if (query !== undefined) requireQuery(query, dialect);
  return new ServerAccounts({ dialect, driver, pool, query });
}

export function driverFor(address: ServerAddress): SqlDriver {
  return address.scheme === 'postgresql'
    ? new PostgresqlDriver(address, defaultPoolLimits.queryMs)
    : new MysqlDriver(address, defaultPoolLimits.queryMs);
}

function requireQuery(query: string, dialect: ServerAddress['scheme']): void {
  try {
    bindParameters(query, dialect);
  } catch (error) {
    throw new ConfigurationError((error as Error).message);
  }
}
