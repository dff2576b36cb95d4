// The listening socket that a service manager passes, as sd_listen_fds(3) describes it.

import { tryWholeNumber } from '../system/options.js';

/** Where passed descriptors start. */
const firstPassed = 3;

/** @returns the descriptor of the first socket that was passed to this very process; null when none was */
export function tryPassedSocket(environment: NodeJS.ProcessEnv, pid: number): number | null {
  if (environment['LISTEN_PID'] !== String(pid)) return null;
  const count = tryWholeNumber(environment['LISTEN_FDS'] ?? '', 1, 1_000_000);
  return count === null ? null : firstPassed;
}
