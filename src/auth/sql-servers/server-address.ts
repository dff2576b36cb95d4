// Where a database is, as a URI says it: postgresql:// as libpq reads it (PostgreSQL 34.1.1.2,
// several hosts), and mysql:// in the same way.

import { userInfo } from 'node:os';
import { ConfigurationError } from '../../system/failures/failures.js';

export interface ServerHost {
  /** A name or address; a directory with the server's socket, or for MySQL the socket itself. */
  readonly host: string;
  readonly port: number;
}

export interface ServerAddress {
  readonly scheme: 'postgresql' | 'mysql';
  /** Asked in this order; at least one. */
  readonly hosts: readonly ServerHost[];
  readonly user: string;
  readonly database: string;
  /** Undefined: in the password file, if the server wants one. */
  readonly password: string | undefined;
  /** Of the part behind `?`, in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const defaultPorts = { postgresql: 5432, mysql: 3306 } as const;
const defaultSockets = { postgresql: '/run/postgresql', mysql: '/run/mysqld/mysqld.sock' } as const;

const knownParameters: Readonly<Record<ServerAddress['scheme'], readonly string[]>> = {
  postgresql: [
    ...['host', 'port', 'user', 'password', 'dbname', 'passfile', 'application_name'],
    ...['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'target_session_attrs'],
  ],
  mysql: ['socket', 'user', 'password', 'passfile', 'ssl-mode', 'ssl-ca', 'ssl-cert', 'ssl-key'],
};

/** The same, of whose hosts only one that takes edits will do. */
export function forEdits({ parameters, ...address }: ServerAddress): ServerAddress {
  return {
    ...address,
    parameters: new Map([...parameters, ['target_session_attrs', 'read-write']]),
  };
}

/** Whether a text is the URI of a database server. */
export function isServerAddress(text: string): boolean {
  return /^(?:postgres(?:ql)?|mysql|mariadb):/.test(text);
}

/**
 * @throws ConfigurationError, whose message never holds the URI: there may be a password in it
 */
export function parseServerAddress(text: string): ServerAddress {
  const uri =
    /^(?<scheme>postgres(?:ql)?|mysql|mariadb):\/\/(?:(?<login>[^@/?#]*)@)?(?<hosts>[^/?#]*)(?:\/(?<database>[^?#]*))?(?:\?(?<query>[^#]*))?$/.exec(
      text,
    )?.groups;
  if (uri === undefined) {
    const scheme = /^\w+/.exec(text)?.[0] ?? '';
    fault(scheme, 'it is written //user@host:port,host:port/database?parameter=value');
  }
  const scheme = /^postgres/.test(uri['scheme'] ?? '') ? 'postgresql' : 'mysql';
  const parameters = parseParameters(scheme, uri['query'] ?? '');
  const [user, password] = splitOnce(uri['login'] ?? '', ':');
  const nameOfUser = parameters.get('user') ?? decode(scheme, user);
  const own = nameOfUser === '' ? ownName() : nameOfUser;
  const database = parameters.get('dbname') ?? decode(scheme, uri['database'] ?? '');
  if (database === '' && scheme === 'mysql') fault(scheme, 'it names no database');
  return {
    scheme,
    hosts: parseHosts(scheme, uri['hosts'] ?? '', parameters),
    user: own,
    database: database === '' ? own : database,
    password:
      parameters.get('password') ?? (password === undefined ? undefined : decode(scheme, password)),
    parameters,
  };
}

/** For logs and errors: host and port, without user and password. */
export function nameOfHost(scheme: ServerAddress['scheme'], { host, port }: ServerHost): string {
  const where = host.includes(':') ? `[${host}]` : host;
  return scheme === 'mysql' && host.startsWith('/') ? host : `${where}:${port}`;
}

function parseParameters(scheme: ServerAddress['scheme'], query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const part of query.split('&').filter((text) => text !== '')) {
    const [name, value = ''] = splitOnce(part, '=');
    const key = name.toLowerCase();
    if (!knownParameters[scheme].includes(key)) {
      fault(
        scheme,
        `parameter ${key} is not known; there are ${knownParameters[scheme].join(', ')}`,
      );
    }
    parameters.set(key, decode(scheme, value));
  }
  return parameters;
}

/** The hosts of the part before the path, or of the parameters `host` and `port` (`socket`). */
function parseHosts(
  scheme: ServerAddress['scheme'],
  authority: string,
  parameters: ReadonlyMap<string, string>,
): readonly ServerHost[] {
  const socket = parameters.get('socket');
  if (socket !== undefined) return [{ host: socket, port: defaultPorts.mysql }];
  const hosts = parameters.get('host');
  if (hosts === undefined) return authority.split(',').map((text) => parseHost(scheme, text));
  const ports = (parameters.get('port') ?? '').split(',');
  return hosts.split(',').map((host, index) => ({
    host: host === '' ? defaultSockets[scheme] : host,
    port: parsePort(scheme, ports[index] ?? ports[0] ?? ''),
  }));
}

function parseHost(scheme: ServerAddress['scheme'], text: string): ServerHost {
  const parts = /^(?:\[(?<v6>[^\]]+)\]|(?<name>[^:[\]]*))(?::(?<port>[^:]*))?$/.exec(text)?.groups;
  if (parts === undefined) fault(scheme, `"${text}" is no host`);
  const host = parts['v6'] ?? decode(scheme, parts['name'] ?? '');
  return {
    host: host === '' ? defaultSockets[scheme] : host,
    port: parsePort(scheme, parts['port'] ?? ''),
  };
}

function parsePort(scheme: ServerAddress['scheme'], text: string): number {
  if (text === '') return defaultPorts[scheme];
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) fault(scheme, `"${text}" is no port`);
  return port;
}

function splitOnce(text: string, separator: string): readonly [string, string?] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function decode(scheme: ServerAddress['scheme'], text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return fault(scheme, 'a % in it is not followed by two hexadecimal digits');
  }
}

/** As libpq does where the URI names no user. */
function ownName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? ''); // A user without a name, as in containers.
  }
}

function fault(scheme: string, why: string): never {
  throw new ConfigurationError(`the ${scheme}:// source cannot be used: ${why}`);
}
