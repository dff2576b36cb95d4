// Asks again where a server was too late, as a machine that stalls for a second makes it. What the server says in time is
// what a test is about; that a late one is not waited for is another's: database-outages.test.ts.

import type { Verdict } from '../../../src/auth/accounts/authenticator.js';
import { poll } from '../suite/deadline.js';

/** Whether a reason, for the log, is that a connection or an answer took too long. */
export function tellsOfDelay(reason: string): boolean {
  return /timeout|in time|within|max_statement_time/.test(reason);
}

/** @returns the first answer that is not late @throws Error after a minute of late ones */
export async function inTime<T>(ask: () => Promise<T>, isLate: (answer: T) => boolean): Promise<T> {
  return poll(
    'an answer in time',
    async () => {
      const answer = await ask();
      return isLate(answer) ? undefined : answer;
    },
    60_000,
  );
}

export function verdictInTime(ask: () => Promise<Verdict>): Promise<Verdict> {
  return inTime(
    ask,
    (verdict) => verdict.verdict === 'unavailable' && tellsOfDelay(verdict.reason),
  );
}
