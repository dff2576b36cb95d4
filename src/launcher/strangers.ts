// The running sessions that have not logged in, and which of them gives way to a newcomer. Knows nothing of processes.

import type { Applicant } from './admission.js';

export class Strangers<S extends Applicant> {
  /** By source; each with when it came, as a serial number, the oldest first. */
  readonly #bySource = new Map<string, Map<S, number>>();
  #count = 0;

  add(session: S): void {
    const ofSource = this.#bySource.get(session.source) ?? new Map<S, number>();
    ofSource.set(session, this.#count++);
    this.#bySource.set(session.source, ofSource);
  }

  /** It has logged in, or ended. Does nothing for one that is not there. */
  delete(session: S): void {
    const ofSource = this.#bySource.get(session.source);
    if (ofSource?.delete(session) === true && ofSource.size === 0) {
      this.#bySource.delete(session.source);
    }
  }

  /**
   * The session that should give way: of the source that has the most of them, the newcomer counted, so that nobody can
   * push others out by coming often; of several such sources the one whose session is the oldest. Never one of a higher
   * level than the newcomer's.
   */
  findFor({ level, source }: Applicant): S | undefined {
    let best: { session: S; crowd: number; age: number } | undefined;
    for (const [name, ofSource] of this.#bySource) {
      const crowd = ofSource.size + (name === source ? 1 : 0);
      if (best !== undefined && crowd < best.crowd) continue;
      const oldest = firstUpTo(level, ofSource);
      if (oldest === undefined) continue;
      if (best === undefined || crowd > best.crowd || oldest.age < best.age) {
        best = { ...oldest, crowd };
      }
    }
    return best?.session;
  }
}

function firstUpTo<S extends Applicant>(
  level: number,
  sessions: ReadonlyMap<S, number>,
): { readonly session: S; readonly age: number } | undefined {
  for (const [session, age] of sessions) if (session.level <= level) return { session, age };
  return undefined;
}
