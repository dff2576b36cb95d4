// `sslmode` and its companions of a PostgreSQL URI, as libpq means them (PostgreSQL 34.19).

import type { ConnectionOptions } from 'node:tls';
import { ConfigurationError } from '../../system/failures/failures.js';
import type { ServerAddress, ServerHost } from '../sql-servers/server-address.js';
import { readTlsFiles } from '../sql-servers/tls-files.js';

/** One way to connect. Without options: not over TLS. */
export interface TlsAttempt {
  readonly options: () => Promise<ConnectionOptions | false>;
}

const clear: TlsAttempt = { options: () => Promise.resolve(false) };

/** @throws ConfigurationError for a mode that there is not */
export function tlsAttempts(
  { parameters }: Pick<ServerAddress, 'parameters'>,
  { host }: ServerHost,
): readonly TlsAttempt[] {
  const mode = parameters.get('sslmode') ?? 'prefer';
  const encrypted: TlsAttempt = { options: () => tlsOptions(mode, parameters, host) };
  switch (mode) {
    case 'disable':
      return [clear];
    case 'allow':
    case 'prefer':
      return host.startsWith('/') ? [clear] : [encrypted, clear];
    case 'require':
    case 'verify-ca':
    case 'verify-full':
      return host.startsWith('/') ? [clear] : [encrypted];
    default:
      throw new ConfigurationError(`sslmode "${mode}" is not known`);
  }
}

async function tlsOptions(
  mode: string,
  parameters: ReadonlyMap<string, string>,
  host: string,
): Promise<ConnectionOptions> {
  const names = { ca: 'sslrootcert', cert: 'sslcert', key: 'sslkey' };
  return {
    rejectUnauthorized: mode.startsWith('verify-'),
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
    // RFC 6066 §3: no addresses.
    ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
    ...(await readTlsFiles(parameters, names)),
  };
}
