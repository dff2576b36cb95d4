// What tcpsrun tells a program of a client that came through a proxy it trusts, in the environment
// or with a kept worker's connection. tcpsrun(8), PROXIES.

/** The proxy's address. While it is set, the other variables know more than the kernel. */
export const proxyVariable = 'TCPSRUN_PROXY';

/** What the client speaks to the proxy, such as `TLSv1.3`. */
const tlsVariable = 'SSL_PROTOCOL';

export interface ProxiedClient {
  /** Undefined where only the proxy is known. */
  readonly address: string | undefined;
  /** Null in the clear. */
  readonly tlsVersion: string | null;
}

/** @returns null for a client that came by itself */
export function tryProxiedClient(
  environment: Readonly<Record<string, string | undefined>>,
): ProxiedClient | null {
  if (environment[proxyVariable] === undefined) return null;
  return {
    address: environment['TCPREMOTEIP'],
    tlsVersion: environment[tlsVariable] ?? null,
  };
}
