// How many connections may wait before descriptors run out. Past the limit libuv would close connections without a word.

import { readFileSync } from 'node:fs';
import { countDescriptors } from '../../system/descriptors/inherited-descriptors.js';
import { TemporaryError } from '../../system/failures/failures.js';

/** For what comes and goes: the run file, the rules file, the pipes of a program being started, the syslog program's. */
const spare = 24;

/** The listening socket, one connection, and what starting its program takes for a moment. */
const fewest = 8;

/**
 * Says no to a limit with which connections would be accepted and none of them served.
 *
 * @param workers each has a channel
 * @throws TemporaryError when fewer can be opened than a service with these workers needs, before it listens
 */
export function requireDescriptors(workers: number): void {
  const limit = openFilesLimit();
  const needed = countDescriptors() + fewest + workers;
  if (limit >= needed) return;
  throw new TemporaryError(
    `the limit of open files is ${limit}, and at least ${needed} are needed (ulimit -n, LimitNOFILE=)`,
  );
}

/** How many more connections can be held with what is open now; 0 or more, Infinity when the limit is unlimited or unknown. */
export function descriptorBudget(): number {
  return Math.max(0, openFilesLimit() - countDescriptors() - spare);
}

function openFilesLimit(): number {
  try {
    const [, soft = ''] =
      /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
    return /^[0-9]+$/.test(soft) ? Number(soft) : Infinity;
  } catch {
    return Infinity;
  }
}
