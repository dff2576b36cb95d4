// The load of many short sessions, and what every server gets of it before anything is measured.

import type { Load } from './load.js';
import type { Bench } from './part.js';
import { isProcessPerSession, type Server } from './servers.js';

/** How many users the sessions are spread over. */
export const shortSessionUsers = 50;

/** @param user a login name with `%d` */
export function shortSession({ port }: Server, user: string): Load {
  return { port, user, users: shortSessionUsers, commands: ['STAT', 'LIST', 'UIDL'] };
}

/**
 * As a server that has been running for a minute: V8 is still compiling during its first 10,000 sessions. One that starts
 * a process for each session is never warmer than after a few.
 */
export function warmUp(
  scale: Bench['scale'],
  { name }: Server,
): Pick<Load, 'concurrency' | 'sessions' | 'seconds'> {
  if (scale === 'quick') return { concurrency: 4, sessions: 300, seconds: 0.5 };
  return { concurrency: 16, sessions: 12_000, seconds: isProcessPerSession(name) ? 1 : 8 };
}
