// The running sessions that have not logged in, and which of them ends when another client needs
// its slot. Knows nothing of processes.

import { ChurningMap } from '../../system/runtime/churning-map.js';
import type { Applicant } from './fair-queue.js';

/** A session, with a number that no other has. */
export interface NumberedSession extends Applicant {
  readonly number: number;
}

/** A session that can be ended, and since when it has its slot, in milliseconds. */
export interface EvictableSession<S> {
  readonly session: S;
  readonly sinceMs: number;
}

export class SessionsBeforeLogin<S extends NumberedSession> {
  /** By source and number; those of one source with the oldest first. */
  readonly #bySource = new Map<string, ChurningMap<number, EvictableSession<S>>>();

  /** @param nowMs of a clock that never goes back */
  add(session: S, nowMs: number): void {
    const ofSource =
      this.#bySource.get(session.source) ?? new ChurningMap<number, EvictableSession<S>>();
    ofSource.set(session.number, { session, sinceMs: nowMs });
    this.#bySource.set(session.source, ofSource);
  }

  /** It has logged in, or ended. Does nothing for one that is not there. */
  delete(session: S): void {
    const ofSource = this.#bySource.get(session.source);
    if (ofSource?.delete(session.number) === true && ofSource.size === 0) {
      this.#bySource.delete(session.source);
    }
  }

  /**
   * The session that should end for a new client: the oldest of the source that has the most of
   * them, the new client counted, so that nobody pushes others out by coming often. Of several such
   * sources it is the one whose session is the oldest. Never one of a higher level than the
   * client's.
   */
  findFor({ level, source }: Applicant): EvictableSession<S> | undefined {
    let best: (EvictableSession<S> & { readonly count: number }) | undefined;
    for (const [name, ofSource] of this.#bySource) {
      const count = ofSource.size + (name === source ? 1 : 0);
      if (best !== undefined && count < best.count) continue;
      for (const { session, sinceMs } of ofSource.values()) {
        if (session.level > level) continue;
        if (best === undefined || count > best.count || sinceMs < best.sinceMs) {
          best = { session, sinceMs, count };
        }
        break;
      }
    }
    return best;
  }
}
