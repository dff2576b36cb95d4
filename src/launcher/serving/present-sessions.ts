// The sessions that are running now, for whoever administers the service: who they are, and how one
// is ended. Knows nothing of slots.

import { ChurningMap } from '../../system/runtime/churning-map.js';
import type { Session } from '../handing-over/hand-over.js';
import type { PresentSession } from '../telling/control-protocol.js';
import type { Client } from './client.js';

interface Present {
  readonly client: Client;
  readonly session: Session;
  readonly sinceMs: number;
  user: string | null;
}

export class PresentSessions {
  readonly #byNumber = new ChurningMap<number, Present>();
  /** What was heard of clients whose program had just been started. */
  readonly #early = new Map<number, string>();

  begin(client: Client, session: Session): void {
    const { number } = client;
    const user = this.#early.get(number) ?? null;
    this.#early.delete(number);
    this.#byNumber.set(number, { client, session, sinceMs: performance.now(), user });
  }

  logIn({ number }: Client, user: string | undefined): void {
    const present = this.#byNumber.get(number);
    // A name that is not told is still that of somebody who has logged in.
    if (present !== undefined) present.user = user ?? '?';
    else this.#early.set(number, user ?? '?');
  }

  end({ number }: Client): void {
    this.#byNumber.delete(number);
    this.#early.delete(number);
  }

  /** In the order in which they came. */
  list(): readonly PresentSession[] {
    return [...this.#byNumber.values()].map(describe);
  }

  /**
   * Ends sessions.
   *
   * @param whom a session's number, a client's address, or a user
   * @returns those that were told to end
   */
  kick(whom: string): readonly PresentSession[] {
    const found = [...this.#byNumber.values()].filter(
      ({ client, user }) =>
        String(client.number) === whom ||
        client.facts.remote.address.text === whom ||
        (user !== null && user.toLowerCase() === whom.toLowerCase()),
    );
    for (const { session } of found) session.kick();
    return found.map(describe);
  }
}

function describe({ client, session, sinceMs, user }: Present): PresentSession {
  const { number, facts, arrival, level } = client;
  return {
    id: number,
    peer: facts.remote.address.text,
    port: facts.remote.port,
    on: arrival.port ?? null,
    level,
    pid: session.pid,
    seconds: Math.floor((performance.now() - sinceMs) / 1000),
    user,
  };
}
