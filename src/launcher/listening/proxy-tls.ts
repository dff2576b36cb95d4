// What a PROXY header of version 2 says of the TLS that the client speaks to the proxy: §2.2, the
// vectors of type, length and value behind the addresses.

export interface ProxiedTls {
  /** Such as `TLSv1.3`; `unknown` when the proxy does not say. */
  readonly version: string;
  readonly cipher: string | null;
  /** What the client asked for by SNI. */
  readonly serverName: string | null;
}

const typeAuthority = 0x02;
const typeSsl = 0x20;
const subtypeVersion = 0x21;
const subtypeCipher = 0x23;

/** Its client flags and its verdict on the client's certificate. */
const sslFixedOctets = 5;
const clientSpeaksTls = 0x01;

/** Becomes an environment variable, and a field of the log. */
const plainText = /^[!-~]{1,255}$/;

/** @returns null when the client speaks none, or nothing is said of it */
export function tlsIn(vectors: Buffer): ProxiedTls | null | 'malformed' {
  const byType = tryVectors(vectors);
  if (byType === null) return 'malformed';
  const ssl = byType.get(typeSsl);
  if (ssl === undefined) return null;
  const subvectors = tryVectors(ssl.subarray(sslFixedOctets));
  if (ssl.length < sslFixedOctets || subvectors === null) return 'malformed';
  if (((ssl[0] ?? 0) & clientSpeaksTls) === 0) return null;
  return {
    version: textOf(subvectors.get(subtypeVersion)) ?? 'unknown',
    cipher: textOf(subvectors.get(subtypeCipher)),
    serverName: textOf(byType.get(typeAuthority)),
  };
}

/** @returns null when one is cut off */
function tryVectors(octets: Buffer): ReadonlyMap<number, Buffer> | null {
  const found = new Map<number, Buffer>();
  let at = 0;
  while (at < octets.length) {
    if (at + 3 > octets.length) return null;
    const end = at + 3 + octets.readUInt16BE(at + 1);
    if (end > octets.length) return null;
    found.set(octets[at] ?? 0, octets.subarray(at + 3, end));
    at = end;
  }
  return found;
}

function textOf(value: Buffer | undefined): string | null {
  const text = value?.toString('latin1') ?? '';
  return plainText.test(text) ? text : null;
}
