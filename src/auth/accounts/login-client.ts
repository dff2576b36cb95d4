// Who asks for a verdict, as far as verifying needs to know.

export interface LoginClient {
  /**
   * The logins of one network wait behind each other: an IPv4 address, or the /64 of an IPv6
   * address.
   */
  readonly network: string;
}

/** All clients whose address is unknown count as one network. */
export function loginClient(address: string | undefined): LoginClient {
  if (address?.includes(':') !== true) return { network: address ?? '' };
  const [head = '', tail] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  // RFC 4291 §2.2: `::` stands for as many groups of zeros as are missing.
  const missing = Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array<string>(missing).fill('0'), ...after];
  const network = groups.slice(0, 4).map((group) => parseInt(group, 16).toString(16));
  return { network: `${network.join(':')}::` };
}
