// What a worker has to say of its sessions, said together: a message costs both sides as much as a reply.

import type { SessionNews } from './session-news.js';
import type { SessionsMessage } from './worker-protocol.js';

/** What happens so soon after one another is told together. */
const gatherMs = 5;

export class GatheredNews {
  readonly #send: (message: SessionsMessage) => void;
  #message = emptyMessage();
  #isDue = false;

  constructor(send: (message: SessionsMessage) => void) {
    this.#send = send;
  }

  /** Something happened in a session that goes on. */
  tell(id: number, news: SessionNews): void {
    (news === 'login' ? this.#message.loggedIn : this.#message.failedLogins).push(id);
    this.#schedule();
  }

  /** A session is over. */
  end(id: number): void {
    this.#message.ended.push(id);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(() => {
      this.#isDue = false;
      const message = this.#message;
      this.#message = emptyMessage();
      this.#send(message);
    }, gatherMs);
  }
}

function emptyMessage(): { kind: 'sessions' } & Record<
  'loggedIn' | 'failedLogins' | 'ended',
  number[]
> {
  return { kind: 'sessions', loggedIn: [], failedLogins: [], ended: [] };
}
