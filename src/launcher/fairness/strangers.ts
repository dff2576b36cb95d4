// The running sessions that have not logged in, and which of them gives way to a newcomer. Knows nothing of processes.

import { ChurningMap } from '../../system/runtime/churning-map.js';
import type { Applicant } from './admission.js';

/** A session, with a number that is its own; those that came later have greater ones. */
export interface Stranger extends Applicant {
  readonly number: number;
}

export class Strangers<S extends Stranger> {
  /** By source and number, the oldest first. */
  readonly #bySource = new Map<string, ChurningMap<number, S>>();

  add(session: S): void {
    const ofSource = this.#bySource.get(session.source) ?? new ChurningMap<number, S>();
    ofSource.set(session.number, session);
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
   * The session that should give way: of the source that has the most of them, the newcomer counted, so that nobody can
   * push others out by coming often; of several such sources the one whose session is the oldest. Never one of a higher
   * level than the newcomer's.
   */
  findFor({ level, source }: Applicant): S | undefined {
    let best: { session: S; crowd: number } | undefined;
    for (const [name, ofSource] of this.#bySource) {
      const crowd = ofSource.size + (name === source ? 1 : 0);
      if (best !== undefined && crowd < best.crowd) continue;
      const oldest = firstUpTo(level, ofSource);
      if (oldest === undefined) continue;
      if (best === undefined || crowd > best.crowd || oldest.number < best.session.number) {
        best = { session: oldest, crowd };
      }
    }
    return best?.session;
  }
}

function firstUpTo<S extends Stranger>(
  level: number,
  sessions: ChurningMap<number, S>,
): S | undefined {
  for (const session of sessions.values()) if (session.level <= level) return session;
  return undefined;
}
