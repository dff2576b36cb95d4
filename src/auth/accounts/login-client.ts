// Who asks for a verdict, and how: as far as verifying, and queries of the administrator's, need to
// know.

/** How a client came. */
export interface LoginWay {
  /** Whether the connection is encrypted. */
  readonly isTls: boolean;
  /** `pop3s`: TLS from the first octet. */
  readonly service: 'pop3' | 'pop3s';
  /** What access rules give the address; null when there are none. */
  readonly level: number | null;
}

export interface LoginClient extends LoginWay {
  /** Without a zone; null when it is unknown. */
  readonly address: string | null;
  /**
   * The logins of one network wait behind each other: an IPv4 address, or the /64 of an IPv6
   * address.
   */
  readonly network: string;
}

const unknownWay: LoginWay = { isTls: false, service: 'pop3', level: null };

/** All clients whose address is unknown count as one network. */
export function loginClient(address: string | undefined, way = unknownWay): LoginClient {
  const { isTls, service, level } = way;
  const bare = address?.replace(/%.*$/s, '') ?? null;
  return { address: bare, network: networkOf(bare), isTls, service, level };
}

function networkOf(address: string | null): string {
  if (address?.includes(':') !== true) return address ?? '';
  const [head = '', tail] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  // RFC 4291 §2.2: `::` stands for as many groups of zeros as are missing.
  const missing = Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array<string>(missing).fill('0'), ...after];
  const network = groups.slice(0, 4).map((group) => parseInt(group, 16).toString(16));
  return `${network.join(':')}::`;
}
