// What a session's last log line says: how it ended and what was done in it.

import type { LogFields } from '../../system/log/log-line.js';
import type { Maildrop } from '../../maildrop/messages/maildrop.js';
import { octetsIfKnown } from '../../maildrop/messages/octets.js';

export type EndReason = 'quit' | 'disconnect' | 'timeout' | 'error' | 'signal';

/** Counts messages and octets; octets as LIST counts them. */
class Tally {
  #count = 0;
  #octets = 0;

  add(octets: number): void {
    this.#count += 1;
    this.#octets += octets;
  }

  toString(): string {
    return `${this.#count}/${this.#octets}`;
  }
}

export class SessionTally {
  readonly retr = new Tally();
  readonly top = new Tally();
  removedCount = 0;

  /** The fields of the logout line; octets of the maildrop only when they were asked for. */
  fields(reason: EndReason, maildrop: Maildrop | null, startedMs: number): LogFields {
    return {
      reason,
      messages: maildrop?.records.length,
      octets: maildrop === null ? undefined : totalOctetsOf(maildrop),
      ...(maildrop !== null && {
        retr: this.retr.toString(),
        top: this.top.toString(),
        dele: this.removedCount,
      }),
      seconds: ((performance.now() - startedMs) / 1000).toFixed(3),
    };
  }
}

function totalOctetsOf(maildrop: Maildrop): number | undefined {
  let total = 0;
  for (const { octets, status } of maildrop.records) {
    const known = octetsIfKnown(octets);
    if (known === null && status !== 'gone') return undefined;
    total += known ?? 0;
  }
  return total;
}
