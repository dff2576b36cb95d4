// What follows a session that broke: another one that does something differently, or the end of the
// run. Pure.

import {
  ConnectionLost,
  FellSilent,
  LostStep,
  MessageTooLarge,
  StoreFailure,
} from '../settings/failures.js';
import type { Entry } from '../talk/listing.js';
import { describeEntry, SessionBroken } from './session-broken.js';
import { nameOf, type Course } from './session-plan.js';

/** What a run knows when one of its sessions broke. */
export interface Circumstances {
  readonly account: string;
  readonly keep: boolean;
  /** Whether somebody stopped the run. */
  readonly isInterrupted: boolean;
}

export interface NextSession {
  readonly course: Course;
  /** Suspects by name, once more each. */
  readonly suspects: readonly string[];
  /** Messages that are given up in this run, and why. */
  readonly givenUp: readonly { readonly entry: Entry; readonly reason: string }[];
}

/** @returns null when there is no point in another session */
export function decideNextSession(
  error: unknown,
  course: Course,
  { account, keep, isInterrupted }: Circumstances,
): NextSession | null {
  if (isInterrupted) return null;
  if (error instanceof StoreFailure) {
    // What is stored can be deleted in a session that retrieves nothing, so that no server throws
    // anything away.
    if (keep || course.isSettlingOnly) return null;
    return { course: { ...course, isSettlingOnly: true }, suspects: [], givenUp: [] };
  }
  if (!(error instanceof SessionBroken)) return null;
  const { cause, hasPipelined, unverified } = error;
  // Some servers announce PIPELINING, and drop what comes ahead or close the connection.
  const mayPipeline = course.mayPipeline && !(cause instanceof ConnectionLost && hasPipelined);
  const hasChanged = mayPipeline !== course.mayPipeline;
  const last = unverified.at(-1);
  if (last === undefined || (hasChanged && cause instanceof FellSilent)) {
    return hasChanged ? { course: { ...course, mayPipeline }, suspects: [], givenUp: [] } : null;
  }
  const isServers =
    cause instanceof LostStep ||
    cause instanceof MessageTooLarge ||
    cause instanceof ConnectionLost;
  if (!isServers) return null;
  const names = unverified.map((entry) => nameOf(account, entry));
  const suspects = new Map(course.suspects);
  for (const name of names) suspects.set(name, (suspects.get(name) ?? 0) + 1);
  // One that was alone, and suspect already, is to blame.
  const isProven = names.length === 1 && course.suspects.has(names[0] ?? '');
  const givenUp =
    cause instanceof MessageTooLarge
      ? [{ entry: last, reason: `${cause.message}: see --limit` }]
      : isProven
        ? [{ entry: last, reason: reasonFor(error, last) }]
        : [];
  const excluded = new Set(course.excluded);
  for (const { entry } of givenUp) excluded.add(nameOf(account, entry));
  const hasCulprit = course.hasCulprit || givenUp.length > 0;
  return {
    course: { ...course, mayPipeline, suspects, excluded, hasCulprit },
    ...{ suspects: names, givenUp },
  };
}

function reasonFor({ cause, step, message }: SessionBroken, entry: Entry): string {
  const what = cause instanceof Error ? cause.message : message;
  return step === 'DELE'
    ? `stored, but DELE of ${describeEntry(entry)} ends every session: ${what}`
    : what;
}
