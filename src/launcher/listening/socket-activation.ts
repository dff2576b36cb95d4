// The listening socket that a service manager passes, as sd_listen_fds(3) describes it.

import { readFileSync, readlinkSync } from 'node:fs';
import { tryWholeNumber } from '../../system/program/options.js';
import { ConfigurationError } from '../../system/failures/failures.js';

/** Where passed descriptors start. */
const firstPassed = 3;

/** TCP_LISTEN as /proc/net/tcp shows it. */
const listening = '0A';

/**
 * @returns the descriptor of the first socket that was passed to this very process; null when none
 *   was
 * @throws ConfigurationError when something was, and LISTEN_FDS does not say how much
 */
export function tryPassedSocket(environment: NodeJS.ProcessEnv, pid: number): number | null {
  const { LISTEN_PID: forWhom, LISTEN_FDS: text = '' } = environment;
  if (forWhom !== String(pid) || text === '') return null;
  const count = tryWholeNumber(text, 0, 1_000_000);
  if (count === null) {
    throw new ConfigurationError(
      `environment variable LISTEN_FDS must be the number of passed sockets, not "${text}"`,
    );
  }
  return count === 0 ? null : firstPassed;
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
