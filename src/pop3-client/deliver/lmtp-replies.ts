// The replies of an LMTP server: lines of a code and a text, of which one reply may have several.
// RFC 5321 §4.2.1.

import type { Socket } from 'node:net';
import { Pause } from '../../system/runtime/pause.js';

export interface LmtpReply {
  readonly code: number;
  /** Of the last line; latin1. */
  readonly text: string;
}

/** RFC 5321 §4.5.3.1.5 has 512 octets; replies have several lines. */
const maxReplyOctets = 65_536;

export class LmtpReplies {
  readonly #socket: Socket;
  #text = '';
  #end: Error | null = null;
  readonly #pause = new Pause();

  /** @param signal ends the connection when it aborts */
  constructor(socket: Socket, signal: AbortSignal) {
    this.#socket = socket;
    const onAbort = (): void => this.#fail(signal.reason as Error);
    signal.addEventListener('abort', onAbort);
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1');
      this.#pause.end();
    });
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => {
      signal.removeEventListener('abort', onAbort);
      this.#fail(new Error('the server closed the connection'));
    });
  }

  /** @throws Error when the connection ends, nothing comes in time, or what comes is no reply */
  async read(timeoutMs: number): Promise<LmtpReply> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const [whole, code = '', text = ''] =
        /^(?:[0-9]{3}-[^\n]*\n)*([2-5][0-9]{2})(?: ([^\r\n]*))?\r?\n/.exec(this.#text) ?? [];
      if (whole !== undefined) {
        this.#text = this.#text.slice(whole.length);
        return { code: Number(code), text };
      }
      if (this.#end !== null) throw this.#end;
      if (
        this.#text.length > maxReplyOctets ||
        /^(?![2-5][0-9]{2}[- \r])[^\n]{4}/.test(this.#text)
      ) {
        throw new Error('what the server said is no reply of LMTP');
      }
      const remainingMs = deadline - performance.now();
      if (remainingMs <= 0) throw new Error('the server fell silent');
      await this.#pause.last(remainingMs);
    }
  }

  #fail(error: Error): void {
    this.#end ??= error;
    this.#socket.destroy();
    this.#pause.end();
  }
}
