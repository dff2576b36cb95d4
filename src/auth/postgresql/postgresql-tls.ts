// `sslmode` and its companions of a PostgreSQL URI, as libpq means them (PostgreSQL 34.19).

import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
import { ConfigurationError } from '../../system/failures/failures.js';
import type { ServerAddress, ServerHost } from '../sql-servers/server-address.js';
import { systemWords } from '../../system/failures/system-words.js';

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
  const isVerified = mode.startsWith('verify-');
  const read = async (name: string): Promise<Buffer | undefined> => {
    const file = parameters.get(name);
    if (file === undefined) return undefined;
    try {
      return await readFile(file);
    } catch (error) {
      throw new ConfigurationError(`${name} ${file}: ${systemWords(error)}`);
    }
  };
  const [ca, cert, key] = await Promise.all(['sslrootcert', 'sslcert', 'sslkey'].map(read));
  return {
    rejectUnauthorized: isVerified,
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
    // RFC 6066 §3: no addresses.
    ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
