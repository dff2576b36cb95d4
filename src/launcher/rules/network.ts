// Networks: an address and the length of the prefix that counts. `ADDRESS[/PREFIX]`.

import { addressFromBytes, tryAddress, type Address } from './address.js';

export interface Network {
  /** Its host bits are zero. */
  readonly address: Address;
  /** 0…32 or 0…128. */
  readonly prefix: number;
}

/** What is wrong with a network's text; who reads a file adds the place. */
export class NetworkError extends Error {}

/**
 * Reads `ADDRESS[/PREFIX]`; without a prefix all bits count. Host bits are zeroed. An IPv4-mapped
 * IPv6 address is the IPv4 network, its prefix counted from bit 96.
 *
 * @throws NetworkError
 */
export function parseNetwork(text: string): Network {
  const [, addressText = '', prefixText] = /^([^/]*)(?:\/(.*))?$/s.exec(text) ?? [];
  const address = tryAddress(addressText);
  if (address === null) throw new NetworkError(`"${addressText}" is no IPv4 or IPv6 address`);
  const isMapped = address.family === 4 && addressText.includes(':');
  const bits = isMapped ? 128 : address.bytes.length * 8;
  const written = prefixText === undefined ? bits : parsePrefix(prefixText, bits);
  if (isMapped && written < 96) {
    throw new NetworkError(`an IPv4-mapped address needs a prefix from 96 to 128, not ${written}`);
  }
  const prefix = isMapped ? written - 96 : written;
  return { address: addressFromBytes(maskedBytes(address.bytes, prefix)), prefix };
}

/** `ADDRESS/PREFIX`, canonical: equal networks have equal texts. */
export function formatNetwork({ address, prefix }: Network): string {
  return `${address.text}/${prefix}`;
}

/** The bytes with all bits after the first `prefix` ones zeroed. */
export function maskedBytes(bytes: readonly number[], prefix: number): number[] {
  return bytes.map((byte, index) => {
    const bits = Math.min(8, Math.max(0, prefix - index * 8));
    return byte & (0xff00 >> bits);
  });
}

function parsePrefix(text: string, bits: number): number {
  const prefix = /^(?:0|[1-9][0-9]{0,2})$/.test(text) ? Number(text) : NaN;
  if (prefix <= bits) return prefix;
  throw new NetworkError(`"/${text}" is no prefix length from 0 to ${bits}`);
}
