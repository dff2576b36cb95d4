// What a session has to do with whoever started it, such as tcpsrun: both count failed logins of
// the client's network, tcpsrun hears of logins, and may ask a session that has not logged in to
// end.

import { FailedLogins, type RecentFailures } from '../../worker/failed-logins.js';
import type { SessionNews } from '../../worker/session-news.js';

export interface Starter {
  /** Of the client's network, in this session and in all others that are known of. */
  readonly recentFailures: () => RecentFailures;
  /**
   * Counts a failed login of the client's network, and tells of it.
   *
   * @param sinceMs when it was begun, a time of performance.now()
   */
  readonly failLogin: (delayMs: number, sinceMs: number) => void;
  readonly tellLogin: (user: string) => void;
  /** `evict` will be called when another client waits for the session's place. */
  readonly onEvict: (evict: () => void) => void;
  /** `kick` will be called when somebody who administers the service wants the session to end. */
  readonly onKick: (kick: () => void) => void;
}

export interface OwnProcessStarter {
  /** What was counted before this session. */
  readonly before?: RecentFailures;
  readonly tell?: (news: SessionNews) => void;
  readonly onEvict?: (evict: () => void) => void;
}

/** Of a session that shares its process with no other, or wants to know nothing of others. */
export function ownProcessStarter(options: OwnProcessStarter = {}): Starter {
  const { before, tell = () => undefined, onEvict = () => undefined } = options;
  const failures = new FailedLogins(1);
  const network = 'the client';
  if (before !== undefined) failures.learn(network, before);
  return {
    recentFailures: () => failures.of(network),
    failLogin: (delayMs, sinceMs) => {
      failures.add(network, delayMs, sinceMs);
      tell({ what: 'failed-login', delayMs });
    },
    tellLogin: (user) => tell({ what: 'login', user }),
    onEvict,
    // A process of its own gets SIGTERM.
    onKick: () => undefined,
  };
}
