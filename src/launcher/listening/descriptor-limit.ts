// How many connections may wait. Past the limit of open files libuv would close them in silence.

import { countDescriptors } from '../../system/descriptors/inherited-descriptors.js';
import { openFilesLimit } from '../../system/descriptors/open-files-limit.js';
import { TemporaryError } from '../../system/failures/failures.js';

/** For what is open for a moment: run file, rules file, the pipes of programs being started. */
const spare = 24;

/**
 * Programs get the limit too, and those that run on Node.js, as pop3d does, start with no fewer.
 */
const fewestOfPrograms = 64;

/** The listening socket, one connection, and what starting its program takes for a moment. */
const fewest = 8;

/**
 * Says no to a limit with which connections would be accepted and none of them served.
 *
 * @param workers each has a channel
 * @throws TemporaryError when fewer can be opened than a service with these workers needs, before
 *   it listens
 */
export function requireDescriptors(workers: number): void {
  const limit = openFilesLimit();
  const needed = Math.max(fewestOfPrograms, countDescriptors() + fewest + workers);
  if (limit >= needed) return;
  throw new TemporaryError(
    `the limit of open files is ${limit}, and at least ${needed} are needed (ulimit -n, LimitNOFILE=)`,
  );
}

const limitAgeMs = 1000;

/**
 * How many connections may wait: the backlog, or fewer when the limit of open files leaves less.
 * The limit may change at any time, and is looked at once a second at most.
 *
 * @param heldNow how many wait already
 */
export function heldLimit(backlog: number, heldNow: () => number): () => number {
  let limit = 0;
  let checkedMs = -Infinity;
  return () => {
    if (performance.now() - checkedMs > limitAgeMs) {
      const room = Math.max(0, openFilesLimit() - countDescriptors() - spare);
      limit = Math.min(backlog, heldNow() + room);
      checkedMs = performance.now();
    }
    return limit;
  };
}
