// What a session writes: replies that leave together, and waits for a peer that reads slowly.

import type { Connection } from '../../system/descriptors/connection.js';

/** Text and bytes collected before they are written; more is written at once. */
const maxHeldOctets = 64 * 1024;

export class SessionOutput {
  #connection: Connection;
  readonly #progressTimeoutMs: number;
  readonly #onStalled: () => void;
  #held: (Buffer | string)[] = [];
  /**
   * Text after what is held as bytes: most replies are nothing else, and go out without a buffer of
   * their own.
   */
  #text = '';
  #heldOctets = 0;

  /**
   * @param onStalled called when the peer took no octet for `progressTimeoutMs`; has to close the
   *   connection
   */
  constructor(connection: Connection, progressTimeoutMs: number, onStalled: () => void) {
    this.#connection = connection;
    this.#progressTimeoutMs = progressTimeoutMs;
    this.#onStalled = onStalled;
  }

  /** Goes on writing to the encrypted stream over the connection; nothing may be held. */
  switchTo(connection: Connection): void {
    this.#connection = connection;
  }

  /** Whether nothing can be written any more; what is written then goes nowhere. */
  get isDead(): boolean {
    return this.#connection.destroyed || !this.#connection.writable;
  }

  /** Whether enough is held that it should be flushed before there is more. */
  get isFull(): boolean {
    return this.#heldOctets >= maxHeldOctets;
  }

  write(bytes: Buffer | string): void {
    // Of text beyond ASCII, which only translations are, this counts too little by a factor of
    // three at most.
    this.#heldOctets += bytes.length;
    if (typeof bytes === 'string') {
      this.#text += bytes;
    } else if (bytes.length > 0) {
      if (this.#text !== '') this.#held.push(this.#text);
      this.#text = '';
      this.#held.push(bytes);
    }
  }

  /**
   * Hands what is held and then these bytes to the connection, without copying them.
   *
   * @param release called when the bytes are not needed any more
   * @returns as `flush` does
   */
  writeThrough(bytes: Buffer, release: () => void): undefined | Promise<void> {
    // What was held goes first; if the peer must read first, the wait below covers it.
    void this.flush();
    if (this.isDead) {
      release();
      return undefined;
    }
    return this.#connection.write(bytes, release) ? undefined : this.#drained();
  }

  /**
   * Hands everything to the connection.
   *
   * @returns a promise when the peer must read first; it resolves when it did or is gone
   */
  flush(): undefined | Promise<void> {
    if (this.#heldOctets === 0) return undefined;
    const bytes = this.#takeHeld();
    if (this.isDead || this.#connection.write(bytes)) return undefined;
    return this.#drained();
  }

  #takeHeld(): string | Buffer {
    const held = this.#held;
    const text = this.#text;
    this.#text = '';
    this.#heldOctets = 0;
    if (held.length === 0) return text;
    this.#held = [];
    if (text !== '') held.push(text);
    const [first] = held;
    return held.length === 1 && first !== undefined ? first : joined(held);
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const connection = this.#connection;
      const done = (): void => {
        connection.setTimeout(0);
        connection.off('timeout', this.#onStalled);
        connection.off('drain', done);
        connection.off('close', done);
        resolve();
      };
      connection.setTimeout(this.#progressTimeoutMs);
      connection.on('timeout', this.#onStalled);
      connection.on('drain', done);
      connection.on('close', done);
    });
  }
}

/** One buffer of all, without one for each text. */
function joined(pieces: readonly (Buffer | string)[]): Buffer {
  let length = 0;
  for (const piece of pieces) length += Buffer.byteLength(piece);
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  for (const piece of pieces) {
    at += typeof piece === 'string' ? bytes.write(piece, at) : piece.copy(bytes, at);
  }
  return bytes;
}
