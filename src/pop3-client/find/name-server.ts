// DNS as pop3get needs it: SRV records, and addresses of both families. RFC 2782, RFC 8305 §3.

import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { SrvRecord } from './srv-order.js';
import { lookUpInSystem } from './system-lookup.js';

/**
 * How long the other family's answer is waited for once one is there. RFC 8305 §3 (Resolution
 * Delay).
 */
const resolutionDelayMs = 50;

export type SrvAnswer =
  | { readonly kind: 'records'; readonly records: readonly SrvRecord[] }
  /** The one record's target is ".": the service is decidedly not offered. RFC 2782 (Target). */
  | { readonly kind: 'not-offered' }
  | { readonly kind: 'nothing' };

export interface NameServer {
  /**
   * @returns nothing as well when DNS fails: a name without working SRV is looked up by address
   * @throws the reason of `signal`
   */
  findService(service: string, domain: string, signal: AbortSignal): Promise<SrvAnswer>;

  /**
   * A name's addresses, IPv6 first and families alternating. A literal address is its own.
   *
   * @throws the resolver's error; its code is ENOTFOUND or ENODATA when there is no such name or
   *   address; the reason of `signal`
   */
  findAddresses(name: string, signal: AbortSignal): Promise<readonly string[]>;
}

/**
 * @param servers addresses of DNS servers, with `:port` or not; null for the system's own
 * @param families which addresses are wanted
 */
export function openNameServer(
  servers: readonly string[] | null,
  families: readonly (4 | 6)[],
): NameServer {
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  if (servers !== null) resolver.setServers(servers);
  /** Whoever aborts wants no answer any more: every query of this resolver ends. */
  const ask = async <T>(query: () => Promise<T>, signal: AbortSignal): Promise<T> => {
    signal.throwIfAborted();
    const cancel = (): void => resolver.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return await query();
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  };
  return {
    findService: async (service, domain, signal) => {
      try {
        const records = await ask(() => resolver.resolveSrv(`_${service}._tcp.${domain}`), signal);
        const offered = records.filter((record) => record.name !== '' && record.name !== '.');
        if (offered.length > 0) return { kind: 'records', records: offered };
        return { kind: records.length > 0 ? 'not-offered' : 'nothing' };
      } catch {
        signal.throwIfAborted();
        return { kind: 'nothing' };
      }
    },
    findAddresses: async (name, signal) => {
      if (isIP(name) !== 0) return [name];
      const addresses =
        servers === null
          ? await lookUpInSystem(name, signal)
          : await ask(() => resolveBoth(resolver, name, families), signal);
      const wanted = addresses.filter((address) => families.includes(isIP(address) === 6 ? 6 : 4));
      if (wanted.length > 0) return alternate(wanted);
      throw Object.assign(new Error(`no address for ${name}`), { code: 'ENOTFOUND' });
    },
  };
}

async function resolveBoth(
  resolver: Resolver,
  name: string,
  families: readonly (4 | 6)[],
): Promise<readonly string[]> {
  const found: string[] = [];
  const queries = families.map(async (family) => {
    const query = family === 6 ? resolver.resolve6(name) : resolver.resolve4(name);
    found.push(...(await query));
  });
  await Promise.any(queries).catch((error: unknown) => {
    throw error instanceof AggregateError ? error.errors[0] : error;
  });
  let timer;
  const delay = new Promise((resolve) => (timer = setTimeout(resolve, resolutionDelayMs)));
  await Promise.race([Promise.allSettled(queries), delay]);
  clearTimeout(timer);
  return found;
}

function alternate(addresses: readonly string[]): readonly string[] {
  const six = addresses.filter((address) => isIP(address) === 6);
  const four = addresses.filter((address) => isIP(address) === 4);
  return [...Array(Math.max(six.length, four.length)).keys()].flatMap((index) =>
    [six[index], four[index]].filter((address) => address !== undefined),
  );
}
