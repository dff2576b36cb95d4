// What a worker tells of its sessions, together: a message costs as much as a reply.

import { gather } from '../system/runtime/gather.js';
import type { SessionNews } from './session-news.js';
import type { SessionsMessage } from './worker-protocol.js';

export class GatheredNews {
  readonly #sendSoon: () => void;
  #message = emptyMessage();

  constructor(send: (message: SessionsMessage) => void) {
    this.#sendSoon = gather(() => {
      const message = this.#message;
      this.#message = emptyMessage();
      send(message);
    });
  }

  /** Something happened in a session that goes on. */
  tell(id: number, news: SessionNews): void {
    if (news.what === 'login') {
      this.#message.loggedIn.push(id);
    } else {
      this.#message.failedLogins.push(id);
      this.#message.failureDelaysMs.push(Math.ceil(news.delayMs));
    }
    this.#sendSoon();
  }

  /** A session is over. */
  end(id: number): void {
    this.#message.ended.push(id);
    this.#sendSoon();
  }
}

function emptyMessage(): { kind: 'sessions' } & Record<
  'loggedIn' | 'failedLogins' | 'failureDelaysMs' | 'ended',
  number[]
> {
  return { kind: 'sessions', loggedIn: [], failedLogins: [], failureDelaysMs: [], ended: [] };
}
