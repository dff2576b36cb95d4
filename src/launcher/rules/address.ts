// IP addresses in one canonical form each: IPv4-mapped IPv6 is IPv4, text is RFC 5952's.

import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

export interface Address {
  readonly family: 4 | 6;
  /** 4 or 16 of them, network order. */
  readonly bytes: readonly number[];
  /** Dotted decimal, or IPv6 as RFC 5952 writes it. */
  readonly text: string;
}

/**
 * Reads an address literal.
 *
 * @returns null for anything else: names, zones (`%eth0`), octets with a leading zero, IPv4 with fewer than four parts
 */
export function tryAddress(text: string): Address | null {
  if (isIP(text) === 0 || text.includes('%')) return null;
  const parsed = ipaddr.parse(text);
  if (parsed.kind() === 'ipv6') {
    const ipv6 = parsed as ipaddr.IPv6;
    if (!ipv6.isIPv4MappedAddress()) return addressFromBytes(ipv6.toByteArray());
    return addressFromBytes(ipv6.toByteArray().slice(12));
  }
  return addressFromBytes(parsed.toByteArray());
}

/** Addresses of late connections, which often come again; our own end's comes with each. */
const recent = new Map<string, Address | null>();
const maxRecent = 1000;

/** A peer's address as the system gives it, its zone dropped. @returns null when there is none */
export function tryPeerAddress(text: string | undefined): Address | null {
  if (text === undefined) return null;
  let address = recent.get(text);
  if (address === undefined) {
    address = tryAddress(text.replace(/%.*$/, ''));
    if (recent.size >= maxRecent) recent.clear();
    recent.set(text, address);
  }
  return address;
}

/** @param bytes 4 or 16 of them */
export function addressFromBytes(bytes: readonly number[]): Address {
  const [a = 0, b = 0, c = 0, d = 0] = bytes;
  if (bytes.length === 4) return { family: 4, bytes, text: `${a}.${b}.${c}.${d}` };
  return { family: 6, bytes, text: new ipaddr.IPv6([...bytes]).toRFC5952String() };
}

/** What limits per client count together: an IPv4 address, or the /64 that an IPv6 host can choose its addresses from. */
export function sourceOf(address: Address): string {
  if (address.family === 4) return address.text;
  return addressFromBytes([...address.bytes.slice(0, 8), ...Array<number>(8).fill(0)]).text;
}
