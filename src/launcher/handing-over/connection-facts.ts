// What is known of an accepted connection, and its form as UCSPI's environment variables.

import type { Socket } from 'node:net';
import { noFailures, type RecentFailures } from '../../worker/failed-logins.js';
import { addressFromBytes, tryPeerAddress, type Address } from '../rules/address.js';

export interface Endpoint {
  readonly address: Address;
  readonly port: number;
}

export interface ConnectionFacts {
  readonly local: Endpoint;
  readonly remote: Endpoint;
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
  { local, remote }: ConnectionFacts,
  { level, failures }: ClientRating,
): Readonly<Record<string, string>> {
  return {
    PROTO: 'TCP',
    TCPLOCALIP: local.address.text,
    TCPLOCALPORT: String(local.port),
    TCPREMOTEIP: remote.address.text,
    TCPREMOTEPORT: String(remote.port),
    ACCESSLEVEL: String(level),
    FAILED_LOGINS: String(failures.count),
    LOGIN_DELAY_MS: String(Math.ceil(failures.owedMs)),
  };
}

/** Names under which this or another launcher may have described a connection of its own. */
const connectionVariable =
  /^(?:PROTO|ACCESSLEVEL|FAILED_LOGINS|LOGIN_DELAY_MS|TCP6?(?:LOCAL|REMOTE)(?:IP|PORT|HOST|INFO)|TCP6INTERFACE|TCPCONNNUM|TCPCONCURRENCY|REMOTE_(?:ADDR|PORT|HOST)|SOCAT_.*|SSL_(?:PROTOCOL|CIPHER|TLS_SNI_SERVERNAME|PEER_CERT_.*))$/;

/** Removes what an outer launcher said of another connection. */
export function withoutConnectionVariables(
  environment: ReadonlyMap<string, string>,
): Map<string, string> {
  return new Map([...environment].filter(([name]) => !connectionVariable.test(name)));
}
