// The peer's address, for the log and for what is allowed to loopback peers only.

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

/** An IPv4-mapped address as IPv4. RFC 4291 §2.5.5.2. */
export function withoutMapping(address: string): string {
  return address.replace(/^::ffff:(?=[0-9.]+$)/i, '');
}

/** 127.0.0.0/8 and ::1. */
export function isLoopback(peer: string | undefined): boolean {
  return peer !== undefined && (peer === '::1' || /^127\.[0-9.]+$/.test(peer));
}
