// The listening sockets that a service manager passes, as sd_listen_fds(3) describes it.

import { readFileSync, readlinkSync } from 'node:fs';
import { tryWholeNumber } from '../../system/program/options.js';
import { ConfigurationError } from '../../system/failures/failures.js';

/** Where passed descriptors start. */
const firstPassed = 3;

/** TCP_LISTEN as /proc/net/tcp shows it. */
const listening = '0A';

export interface PassedSocket {
  readonly fd: number;
  /** LISTEN_FDNAMES' word for it; empty where there is none. */
  readonly name: string;
}

/**
 * @returns what was passed to this very process
 * @throws ConfigurationError when something was, and LISTEN_FDS does not say how much
 */
export function passedSockets(
  environment: NodeJS.ProcessEnv,
  pid: number,
): readonly PassedSocket[] {
  const { LISTEN_PID: forWhom, LISTEN_FDS: text = '', LISTEN_FDNAMES = '' } = environment;
  if (forWhom !== String(pid) || text === '') return [];
  const count = tryWholeNumber(text, 0, 1_000_000);
  if (count === null) {
    throw new ConfigurationError(
      `environment variable LISTEN_FDS must be the number of passed sockets, not "${text}"`,
    );
  }
  const names = LISTEN_FDNAMES.split(':');
  return Array.from({ length: count }, (_, index) => ({
    fd: firstPassed + index,
    name: names[index] ?? '',
  }));
}

/**
 * Which socket is whose: by name where each listener's port, as it was given, is the name of one;
 * else in order.
 *
 * @param ports of the listeners
 * @returns a descriptor for each; none at all when nothing was passed
 * @throws ConfigurationError when there are fewer sockets than listeners
 */
export function assignSockets(
  sockets: readonly PassedSocket[],
  ports: readonly string[],
): readonly number[] {
  if (sockets.length === 0) return [];
  if (sockets.length < ports.length) {
    throw new ConfigurationError(
      `${sockets.length} sockets were passed (LISTEN_FDS) for ${ports.length} listeners`,
    );
  }
  const byName = ports.flatMap((port) => {
    const named = sockets.filter(({ name }) => name === port);
    return named.length === 1 ? named.map(({ fd }) => fd) : [];
  });
  if (byName.length === ports.length && new Set(byName).size === ports.length) return byName;
  return sockets.slice(0, ports.length).map(({ fd }) => fd);
}

/**
 * Whether the system lists a descriptor among the listening TCP sockets. It lists those of this
 * process's network only, and a service with a network of its own may be passed a socket of the
 * machine's: false does not mean that it does not listen.
 */
export function isListedAsListening(fd: number): boolean {
  try {
    const inode = /^socket:\[([0-9]+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
    return inode !== undefined && ['tcp', 'tcp6'].some((table) => isInTable(table, inode));
  } catch {
    return false;
  }
}

function isInTable(table: string, inode: string): boolean {
  return readFileSync(`/proc/self/net/${table}`, 'latin1')
    .split('\n')
    .some((line) => {
      const columns = line.trim().split(/\s+/);
      return columns[9] === inode && columns[3] === listening;
    });
}
