// IP addresses in one canonical form each. An IPv4-mapped address (::ffff:0:0/96) is the IPv4
// address, RFC 4291 §2.5.5.2. All others that have an IPv4 address in them are IPv6: ::a.b.c.d,
// 6to4, NAT64.

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
 * @returns null for anything else: names, zones (`%eth0`), octets with a leading zero, IPv4 with
 *   fewer than four parts
 */
export function tryAddress(text: string): Address | null {
  switch (text.includes('%') ? 0 : isIP(text)) {
    case 4:
      return addressFromBytes(text.split('.').map(Number));
    case 6: {
      const canonical = canonicalIpv6(text);
      const bytes = ipaddr.parse(canonical).toByteArray();
      const isMapped = bytes.every(
        (byte, index) => index >= 12 || byte === (index < 10 ? 0 : 0xff),
      );
      if (isMapped) return addressFromBytes(bytes.slice(12));
      return { family: 6, bytes, text: canonical };
    }
    default:
      return null;
  }
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
  if (bytes.length === 4) return { family: 4, bytes, text: bytes.join('.') };
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16),
  );
  return { family: 6, bytes, text: canonicalIpv6(groups.join(':')) };
}

/**
 * RFC 5952's form, which is how URLs have it, but without an IPv4 part: ipaddr.js takes ::a.b.c.d
 * for a mapped address.
 */
function canonicalIpv6(literal: string): string {
  return new URL(`http://[${literal}]/`).hostname.slice(1, -1);
}

/** What limits per client count together: an IPv4 address, or a /64, which is one IPv6 host's. */
export function sourceOf(address: Address): string {
  if (address.family === 4) return address.text;
  return addressFromBytes([...address.bytes.slice(0, 8), ...Array<number>(8).fill(0)]).text;
}
