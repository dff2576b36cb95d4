// The peer's address, for the log and for what is allowed to loopback peers only.

import { tryProxiedClient } from '../../worker/proxied-client.js';

/**
 * The peer that a launcher names in the environment: tcpserver and similar programs, systemd,
 * xinetd, socat.
 */
export function peerNamedIn(
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const address =
    environment['TCPREMOTEIP'] ??
    environment['REMOTE_ADDR'] ??
    environment['REMOTE_HOST'] ??
    environment['SOCAT_PEERADDR'];
  return address === undefined ? undefined : withoutMapping(address);
}

/** Who the client is, and what it speaks where it is not connected to us. */
export interface NamedClient {
  readonly peer: string | undefined;
  /** The version of the TLS that it speaks to a proxy; null in the clear, and without a proxy. */
  readonly proxiedTls: string | null;
}

/**
 * The client of a process for one session: what the kernel says, else what the launcher says.
 * Behind a proxy that tcpsrun trusts the kernel knows only the proxy.
 *
 * @param kernelAddress undefined where the connection has none
 */
export function clientOf(
  kernelAddress: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): NamedClient {
  const proxied = tryProxiedClient(environment);
  if (proxied !== null) {
    const { address, tlsVersion } = proxied;
    return { peer: address && withoutMapping(address), proxiedTls: tlsVersion };
  }
  const peer =
    kernelAddress === undefined ? peerNamedIn(environment) : withoutMapping(kernelAddress);
  return { peer, proxiedTls: null };
}

/** An IPv4-mapped address as IPv4. RFC 4291 §2.5.5.2. */
export function withoutMapping(address: string): string {
  return address.replace(/^::ffff:(?=[0-9.]+$)/i, '');
}

/** 127.0.0.0/8 and ::1. */
export function isLoopback(peer: string | undefined): boolean {
  return peer !== undefined && (peer === '::1' || /^127\.[0-9.]+$/.test(peer));
}
