// What a session has to do with whoever started it, such as tcpsrun: it is told of failed logins before it, tells of its
// own, and may be asked to give way.

import type { SessionNews } from '../../worker/session-news.js';
import { tryWholeNumber } from '../../system/program/options.js';

export interface Starter {
  /** Recent failed logins of the client's network before this session; 0 when nobody counts them. */
  readonly failedLogins: number;
  /** Recent ones of that network in this process, those of this session that were told included; 0 when nobody counts them. */
  readonly recentFailures: () => number;
  readonly tell: (news: SessionNews) => void;
  /** `evict` will be called when another client waits for the session's place. */
  readonly onEvict: (evict: () => void) => void;
}

/** One that neither tells nor wants to know anything. */
export const indifferentStarter: Starter = {
  failedLogins: 0,
  recentFailures: () => 0,
  tell: () => undefined,
  onEvict: () => undefined,
};

/** @returns FAILED_LOGINS; 0 when it is not there or no number */
export function failedLoginsNamedIn(
  environment: Readonly<Record<string, string | undefined>>,
): number {
  return tryWholeNumber(environment['FAILED_LOGINS'] ?? '', 0, 1_000_000) ?? 0;
}
