// The bytes of a connection, taken piece by piece; while nobody takes them the peer is held back.

import type { Duplex } from 'node:stream';
import { ConnectionClosed, FellSilent } from '../settings/failures.js';
import { Pause } from '../../system/runtime/pause.js';

/**
 * Octets waiting to be taken beyond which the connection is not read. More would wait in the kernel
 * as well, and what waits here for long becomes garbage that only a full collection finds.
 */
const maxWaitingOctets = 128 * 1024;

export class ByteSource {
  readonly #stream: Duplex;
  readonly #waiting: Buffer[] = [];
  #waitingOctets = 0;
  #end: Error | null = null;
  readonly #pause = new Pause();

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('data', this.#onData);
    stream.on('end', this.#onEnd);
    stream.on('close', this.#onEnd);
    stream.on('error', this.#onError);
    // What ended before anybody listened says so no more.
    if (stream.destroyed || stream.readableEnded) this.#onEnd();
  }

  /** The next piece if one is waiting, without waiting for one. */
  tryTake(): Buffer | null {
    const chunk = this.#waiting.shift();
    if (chunk === undefined) return null;
    this.#waitingOctets -= chunk.length;
    if (this.#waitingOctets < maxWaitingOctets / 2 && this.#stream.isPaused())
      this.#stream.resume();
    return chunk;
  }

  /**
   * The next piece.
   *
   * @param deadline a time of performance.now()
   * @throws ConnectionClosed at the end of the connection or its failure; FellSilent at the
   *   deadline
   */
  async take(deadline: number): Promise<Buffer> {
    for (;;) {
      const chunk = this.tryTake();
      if (chunk !== null) return chunk;
      if (this.#end !== null) throw this.#end;
      const remainingMs = deadline - performance.now();
      if (remainingMs <= 0) throw new FellSilent('the server fell silent');
      await this.#pause.last(remainingMs);
    }
  }

  /**
   * Stops listening, so that something else can read the stream.
   *
   * @returns whether bytes were waiting
   */
  detach(): boolean {
    this.#stream.off('data', this.#onData);
    this.#stream.off('end', this.#onEnd);
    this.#stream.off('close', this.#onEnd);
    this.#stream.pause();
    return this.#waiting.length > 0;
  }

  /** Ends the connection at once and says why to whoever waits for bytes. */
  abort(reason: Error): void {
    this.#end = reason;
    this.#waiting.length = 0;
    this.#stream.destroy();
    this.#pause.end();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#waiting.push(chunk);
    this.#waitingOctets += chunk.length;
    if (this.#waitingOctets > maxWaitingOctets) this.#stream.pause();
    this.#pause.end();
  };

  readonly #onEnd = (): void => {
    this.#end ??= new ConnectionClosed('the server closed the connection');
    this.#pause.end();
  };

  readonly #onError = (error: Error): void => {
    this.#end ??= new ConnectionClosed(`the connection failed: ${error.message}`);
    this.#pause.end();
  };
}
