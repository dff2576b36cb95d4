// What is known of an accepted connection, and its form as UCSPI's environment variables.

import type { Socket } from 'node:net';
import { noFailures, type RecentFailures } from '../../worker/failed-logins.js';
import { proxyVariable } from '../../worker/proxied-client.js';
import type { ProxyHeader } from '../listening/proxy-header.js';
import type { ProxiedTls } from '../listening/proxy-tls.js';
import { addressFromBytes, tryPeerAddress, type Address } from '../rules/address.js';
import type { Endpoint } from '../rules/endpoint.js';

export interface ConnectionFacts {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Where a proxy said both ends; absent where they are the connection's own. */
  readonly proxied?: {
    readonly proxy: Address;
    /** What the client speaks to the proxy. */
    readonly tls: ProxiedTls | null;
  };
}

/** What the launcher says of a client beside the addresses. */
export interface ClientRating {
  /** 0 or more. */
  readonly level: number;
  /** Of the client's network. */
  readonly failures: RecentFailures;
}

/**
 * Both ends of an accepted connection.
 *
 * @returns null when the peer is gone already, or there never were IP addresses
 */
export function tryConnectionFacts(socket: Socket): ConnectionFacts | null {
  const remote = tryEndpoint(socket.remoteAddress, socket.remotePort);
  const local = tryEndpoint(socket.localAddress, socket.localPort);
  return remote === null || local === null ? null : { remote, local };
}

/** What a proxy's header makes of them. */
export function withHeader(facts: ConnectionFacts, header: ProxyHeader): ConnectionFacts {
  if (header.kind === 'own') return facts;
  const { source, destination, tls } = header;
  const proxied = { proxy: facts.remote.address, tls };
  return { remote: source, local: destination, proxied };
}

function tryEndpoint(text: string | undefined, port: number | undefined): Endpoint | null {
  const address = tryPeerAddress(text);
  return address === null || port === undefined ? null : { address, port };
}

/** Stands for any connection where a run file is evaluated before there is one. */
export const unknownConnection: ConnectionFacts = {
  local: { address: addressFromBytes([0, 0, 0, 0]), port: 0 },
  remote: { address: addressFromBytes([0, 0, 0, 0]), port: 0 },
};

export const unratedClient: ClientRating = { level: 1, failures: noFailures };

/** PROTO is TCP for both families, addresses are canonical, ports decimal. */
export function ucspiVariables(
  { local, remote, proxied }: ConnectionFacts,
  { level, failures }: ClientRating,
): Readonly<Record<string, string>> {
  const variables = {
    PROTO: 'TCP',
    TCPLOCALIP: local.address.text,
    TCPLOCALPORT: String(local.port),
    TCPREMOTEIP: remote.address.text,
    TCPREMOTEPORT: String(remote.port),
    ACCESSLEVEL: String(level),
    FAILED_LOGINS: String(failures.count),
    LOGIN_DELAY_MS: String(Math.ceil(failures.owedMs)),
  };
  if (proxied === undefined) return variables;
  const { proxy, tls } = proxied;
  return {
    ...variables,
    [proxyVariable]: proxy.text,
    ...(tls === null ? {} : { SSL_PROTOCOL: tls.version }),
    ...(tls?.cipher == null ? {} : { SSL_CIPHER: tls.cipher }),
    ...(tls?.serverName == null ? {} : { SSL_TLS_SNI_SERVERNAME: tls.serverName }),
  };
}

/** Names of all variables that a connection may have. */
export const connectionVariables: ReadonlySet<string> = new Set([
  ...['PROTO', 'TCPLOCALIP', 'TCPLOCALPORT', 'TCPREMOTEIP', 'TCPREMOTEPORT'],
  ...['ACCESSLEVEL', 'FAILED_LOGINS', 'LOGIN_DELAY_MS'],
  ...[proxyVariable, 'SSL_PROTOCOL', 'SSL_CIPHER', 'SSL_TLS_SNI_SERVERNAME'],
]);

/** Names under which this or another launcher may have described a connection of its own. */
const connectionVariable =
  /^(?:PROTO|ACCESSLEVEL|TCPSRUN_PROXY|FAILED_LOGINS|LOGIN_DELAY_MS|TCP6?(?:LOCAL|REMOTE)(?:IP|PORT|HOST|INFO)|TCP6INTERFACE|TCPCONNNUM|TCPCONCURRENCY|REMOTE_(?:ADDR|PORT|HOST)|SOCAT_.*|SSL_(?:PROTOCOL|CIPHER|TLS_SNI_SERVERNAME|PEER_CERT_.*))$/;

/** Removes what an outer launcher said of another connection. */
export function withoutConnectionVariables(
  environment: ReadonlyMap<string, string>,
): Map<string, string> {
  return new Map([...environment].filter(([name]) => !connectionVariable.test(name)));
}
