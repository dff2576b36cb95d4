// What a login comes to that an account source, or a library that hashes, left undecided.

import { SourceUnavailable, UnusableRow } from '../accounts/account-source.js';
import type { Unavailable } from '../accounts/authenticator.js';
import { UnusablePasswordError } from '../stored/unusable-password.js';
import { NoTurnError } from '../turns/fair-turns.js';

/** Some passwords were compared and are wrong, and then something failed. */
export class Undecided extends Error {
  constructor(cause: unknown) {
    super('undecided', { cause });
  }
}

export function unavailable(error: unknown): Unavailable {
  if (error instanceof Undecided) return { ...unavailable(error.cause), isCounted: true };
  const isCounted = error instanceof UnusablePasswordError || error instanceof UnusableRow;
  const isLasting = isCounted || (error instanceof SourceUnavailable && error.isLasting);
  const isExpected =
    isLasting || error instanceof SourceUnavailable || error instanceof NoTurnError;
  const message = error instanceof Error ? error.message : String(error);
  const reason = isExpected ? message : `password verification failed: ${message}`;
  return { isLasting, reason, ...(isCounted ? { isCounted } : {}) };
}
