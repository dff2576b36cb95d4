// The `networks` of a password: whether a client may use it.

import { BlockList, isIP } from 'node:net';
import { UnusablePasswordError } from '../stored/unusable-password.js';

/**
 * @param networks addresses and prefixes with blanks between; null permits every client
 * @param address the client's; null, which is unknown, is in no network
 * @throws UnusablePasswordError for what is no address or prefix
 */
export function isPermitted(networks: string | null, address: string | null): boolean {
  if (networks === null) return true;
  const list = parseNetworks(networks);
  const family = isIP(address ?? '');
  return family !== 0 && list.check(address ?? '', family === 6 ? 'ipv6' : 'ipv4');
}

/** @throws UnusablePasswordError that quotes the first word that is no address or prefix */
export function parseNetworks(networks: string): BlockList {
  const list = new BlockList();
  for (const word of networks.split(/[\s,]+/).filter((part) => part !== '')) {
    const [, address = '', prefix] = /^([^/]*)(?:\/(0|[1-9][0-9]{0,2}))?$/.exec(word) ?? [];
    const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address.includes('%') ? '' : address)] ?? 0;
    const length = Number(prefix ?? bits);
    if (bits === 0 || length > bits) {
      throw new UnusablePasswordError(`"${word}" is no network: ADDRESS or ADDRESS/PREFIX`);
    }
    list.addSubnet(address, length, bits === 128 ? 'ipv6' : 'ipv4');
  }
  return list;
}
