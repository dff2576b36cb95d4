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
      this.#message.users.push(news.user ?? null);
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

function emptyMessage(): { kind: 'sessions'; users: (string | null)[] } & Record<
  'loggedIn' | 'failedLogins' | 'failureDelaysMs' | 'ended',
  number[]
> {
  const lists = { loggedIn: [], users: [], failedLogins: [], failureDelaysMs: [], ended: [] };
  return { kind: 'sessions', ...lists };
}
