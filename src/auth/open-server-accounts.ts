// An account source on a database server, from its URI.

import { ConfigurationError } from '../system/failures/failures.js';
import type { AccountSource } from './accounts/account-source.js';
import { MysqlDriver } from './mysql/mysql-driver.js';
import { PostgresqlDriver } from './postgresql/postgresql-driver.js';
import { EditedServer } from './sql-servers/edited-server.js';
import { requireDriver } from './sql-servers/driver-packages.js';
import { bindParameters } from './sql-servers/named-parameters.js';
import { forEdits, parseServerAddress, type ServerAddress } from './sql-servers/server-address.js';
import { ServerAccounts } from './sql-servers/server-accounts.js';
import { defaultPoolLimits, ServerPool } from './sql-servers/server-pool.js';
import type { DriverSettings, SqlDriver } from './sql-servers/sql-driver.js';

export interface ServerAccountsSettings {
  readonly query?: string | undefined;
  readonly sessions?: 'one' | 'many' | undefined;
}

/** A statement of passdb may wait for other transactions. */
const editMs = 10_000;
/** Long enough for the second query of a login. */
const idleMsOfOneSession = 1000;

/** @throws ConfigurationError for a URI that cannot be understood */
export function openServerAccounts(
  uri: string,
  { query, sessions }: ServerAccountsSettings,
): AccountSource {
  const address = parseServerAddress(uri);
  const driver = driverFor(address, {
    statementMs: defaultPoolLimits.queryMs,
    access: 'read',
  });
  const pool = new ServerPool(
    address,
    driver,
    sessions === 'one' ? { idleMs: idleMsOfOneSession } : {},
  );
  return new ServerAccounts({ dialect: address.scheme, driver, pool, query });
}

/** @throws ConfigurationError for a URI, query or package that is wrong or missing */
export function requireServerAccounts(uri: string, query: string | undefined): void {
  const { scheme } = parseServerAddress(uri);
  requireDriver(scheme === 'postgresql' ? 'pg' : 'mysql2');
  if (query !== undefined) requireQuery(query, scheme);
}

/** For passdb: the first host that takes edits. @throws as requireServerAccounts */
export function openEditedServer(uri: string): EditedServer {
  requireServerAccounts(uri, undefined);
  const address = forEdits(parseServerAddress(uri));
  return new EditedServer(address, driverFor(address, { statementMs: editMs, access: 'edit' }));
}

function driverFor(address: ServerAddress, settings: DriverSettings): SqlDriver {
  return address.scheme === 'postgresql'
    ? new PostgresqlDriver(address, settings)
    : new MysqlDriver(address, settings);
}

function requireQuery(query: string, dialect: ServerAddress['scheme']): void {
  try {
    bindParameters(query, dialect);
  } catch (error) {
    throw new ConfigurationError((error as Error).message);
  }
}
