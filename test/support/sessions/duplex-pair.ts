// Two duplex streams joined back to back inside this process: a connection without a kernel, whose every turn a test
// decides. It can be closed gently, reset, and left unread, as a socket can.

import { Duplex } from 'node:stream';

/** One end. `setTimeout` is what sessions ask of a connection: 'timeout' after so long without an octet moved. */
export class PairEnd extends Duplex {
  #other: PairEnd | undefined;
  #release: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timeoutMs = 0;

  constructor(highWaterMark: number) {
    super({ highWaterMark, allowHalfOpen: true });
  }

  join(other: PairEnd): void {
    this.#other = other;
  }

  setTimeout(timeoutMs: number): void {
    this.#timeoutMs = timeoutMs;
    this.#watch();
  }

  override _read(): void {
    const release = this.#release;
    this.#release = undefined;
    release?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    const other = this.#other;
    if (other === undefined || other.destroyed) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      return;
    }
    const moved = (): void => {
      this.#watch();
      done();
    };
    if (other.push(Buffer.from(chunk))) moved();
    else other.#release = moved;
  }

  override _final(done: () => void): void {
    this.#other?.push(null);
    done();
  }

  /** Without having ended first, this is a reset for the other end. */
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#timer);
    const other = this.#other;
    if (other !== undefined && !other.destroyed) {
      if (this.writableFinished) other.#release?.();
      else other.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
    }
    done(error);
  }

  #watch(): void {
    clearTimeout(this.#timer);
    if (this.#timeoutMs > 0) {
      this.#timer = setTimeout(() => this.emit('timeout'), this.#timeoutMs);
    }
  }
}

/** @param highWaterMark octets that an end holds for a reader before the writer has to wait */
export function makeDuplexPair(
  highWaterMark = 65_536,
): readonly [client: PairEnd, server: PairEnd] {
  const client = new PairEnd(highWaterMark);
  const server = new PairEnd(highWaterMark);
  client.join(server);
  server.join(client);
  return [client, server];
}
