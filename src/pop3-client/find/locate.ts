// Which servers a domain's mailbox may be on, in the order to try them. RFC 2782, RFC 6186 §3.3.

import { isIP } from 'node:net';
import { randomInt } from 'node:crypto';
import { Refused } from '../settings/failures.js';
import type { NameServer } from './name-server.js';
import type { LocationSettings } from '../settings/settings.js';
import { orderSrvRecords } from './srv-order.js';

const pop3Port = 110;
const pop3sPort = 995;
const maxTargets = 32;

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly tls: 'implicit' | 'required-stls' | 'stls-if-offered' | 'off';
  /** What a certificate may be for: the host first. */
  readonly names: readonly [string, ...(readonly string[])];
}

/**
 * Lists the targets: addresses as given, else those of the SRV records of the name, else of its
 * parents, else the name itself, as the settings permit.
 *
 * @throws Refused when DNS says that the domain does not offer the service, or the settings leave
 *   nothing to try; the reason of `signal`
 */
export async function locateServers(
  settings: LocationSettings,
  nameServer: NameServer,
  signal: AbortSignal,
): Promise<readonly Target[]> {
  const { domain } = settings;
  if (settings.byAddress) {
    const addresses = domain
      .split(';')
      .map((address) => address.trim())
      .filter((address) => address !== '');
    const wrong = addresses.find((address) => isIP(address) === 0);
    if (wrong !== undefined || addresses.length === 0) {
      throw new Refused(`--byip needs addresses with ";" between them, not "${wrong ?? domain}"`);
    }
    return addresses.slice(0, maxTargets).map((address) => ownTarget(address, settings));
  }
  const isPlain = isIP(domain) !== 0 || /^(.*\.)?localhost\.?$/i.test(domain);
  if (!isPlain) {
    const levels = [
      ...(settings.srvSelf ? [domain] : []),
      ...(settings.srvSuperdomains ? superdomainsOf(domain) : []),
    ];
    for (const level of levels) {
      const targets = await findServices(level, settings, nameServer, signal);
      if (targets.length > 0) return targets.slice(0, maxTargets);
    }
  }
  if (settings.implicit || isPlain) return [ownTarget(domain, settings)];
  throw new Refused(
    `no SRV records say where the mail of ${domain} is: --implicit tries the name itself, or give the server's name`,
  );
}

/** The parents of a name, nearest first, top-level domains left out. */
export function superdomainsOf(domain: string): readonly string[] {
  const labels = domain.replace(/\.$/, '').split('.');
  return labels.slice(1, -1).map((_, index) => labels.slice(index + 1).join('.'));
}

async function findServices(
  domain: string,
  settings: LocationSettings,
  nameServer: NameServer,
  signal: AbortSignal,
): Promise<readonly Target[]> {
  const { tls } = settings;
  const [secure, ordinary] = await Promise.all([
    tls === 'implicit' || tls === 'auto' ? nameServer.findService('pop3s', domain, signal) : null,
    tls === 'implicit' ? null : nameServer.findService('pop3', domain, signal),
  ]);
  const kinds = [secure?.kind, ordinary?.kind].filter((kind) => kind !== undefined);
  if (kinds.every((kind) => kind === 'not-offered')) {
    throw new Refused(
      `${domain} says in DNS (SRV) that it offers no POP3: --no-srv_self tries the name itself, or give the server's name`,
    );
  }
  const draw = (sum: number): number => randomInt(sum + 1);
  const secureTargets =
    secure?.kind === 'records'
      ? orderSrvRecords(secure.records, draw).map(({ name, port }) =>
          target(name, settings.port ?? port, 'implicit', domain),
        )
      : [];
  // A domain that has pop3s was seen to offer TLS: its other servers must as well.
  const mode = secureTargets.length > 0 ? 'required-stls' : clearMode(settings);
  const ordinaryTargets =
    ordinary?.kind === 'records'
      ? orderSrvRecords(ordinary.records, draw).map(({ name, port }) =>
          target(name, settings.port ?? port, mode, domain),
        )
      : [];
  return [...secureTargets, ...ordinaryTargets];
}

function target(host: string, port: number, tls: Target['tls'], source: string): Target {
  // DNS may be forged: a certificate counts for the domain that was asked for, or for a host within
  // it. RFC 6186 §6.
  const domain = source.replace(/\.$/, '').toLowerCase();
  const isWithin = `.${host.replace(/\.$/, '').toLowerCase()}`.endsWith(`.${domain}`);
  return { host, port, tls, names: isWithin ? [host, domain] : [domain] };
}

function ownTarget(host: string, settings: LocationSettings): Target {
  const port = settings.port ?? (settings.tls === 'implicit' ? pop3sPort : pop3Port);
  const isImplicit = settings.tls === 'implicit' || (settings.tls === 'auto' && port === pop3sPort);
  return { host, port, tls: isImplicit ? 'implicit' : clearMode(settings), names: [host] };
}

function clearMode(settings: LocationSettings): Target['tls'] {
  if (settings.tls === 'off') return 'off';
  return settings.tls === 'auto' ? 'stls-if-offered' : 'required-stls';
}
