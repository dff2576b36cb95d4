// Why a session ended early, and what was found out in it: all that the decision about the next
// session needs.

import { reasonOf } from '../settings/failures.js';
import type { Entry, MailboxListing } from '../talk/listing.js';

/** What was being done to a message when the session broke. */
export type Step = 'RETR' | 'TOP' | 'DELE';

export class SessionBroken extends Error {
  override readonly name = 'SessionBroken';
  override readonly cause: unknown;
  /** Null when the session broke before there was one. */
  readonly listing: MailboxListing | null;
  /** Whether commands were sent ahead of replies. */
  readonly hasPipelined: boolean;
  /** Messages to which a reply was read or waited for that is not verified, in their order. */
  readonly unverified: readonly Entry[];
  readonly step: Step | null;

  constructor(
    cause: unknown,
    found: Partial<Pick<SessionBroken, 'listing' | 'hasPipelined' | 'unverified' | 'step'>> = {},
  ) {
    super(describe(cause, found.step ?? null, found.unverified ?? []));
    this.cause = cause;
    this.listing = found.listing ?? null;
    this.hasPipelined = found.hasPipelined ?? false;
    this.unverified = found.unverified ?? [];
    this.step = found.step ?? null;
  }

  /** The same with what the caller knows. */
  with(found: Pick<SessionBroken, 'listing' | 'hasPipelined'>): SessionBroken {
    const { unverified, step } = this;
    return new SessionBroken(this.cause, { unverified, step, ...found });
  }
}

function describe(cause: unknown, step: Step | null, unverified: readonly Entry[]): string {
  const last = unverified.at(-1);
  if (step === null || last === undefined) return reasonOf(cause);
  return `${reasonOf(cause)}, at ${step} of ${describeEntry(last)}`;
}

/** `message 2 (unique-id abc)`, for error messages. */
export function describeEntry({ number, uniqueId }: Entry): string {
  const printable = uniqueId?.replace(/[^!-~]+/g, '?').slice(0, 80);
  return `message ${number}${printable === undefined ? '' : ` (unique-id ${printable})`}`;
}
