// One end of a connection.

import { tryAddress, type Address } from './address.js';

export interface Endpoint {
  readonly address: Address;
  /** 0…65535. */
  readonly port: number;
}

/** @returns null unless both are in their canonical decimal or IPv6 forms */
export function tryEndpoint(address: string, port: string): Endpoint | null {
  const parsed = tryAddress(address);
  const number = /^(?:0|[1-9][0-9]{0,4})$/.test(port) ? Number(port) : NaN;
  return parsed !== null && number <= 65_535 ? { address: parsed, port: number } : null;
}
