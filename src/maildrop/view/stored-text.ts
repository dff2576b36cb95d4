// A message that is stored as text, being read. Its start is read when it is opened, into memory
// that all messages of the process share: most are read on before another is opened, and so cost no
// second read(2).

import { readSync } from 'node:fs';
import type { OpenMessage } from '../messages/maildrop.js';

const sharedBuffer = Buffer.allocUnsafeSlow(256 * 1024);

/** Whose start is in the shared buffer: each opened message has a number. */
let owner = 0;

export class StoredText implements OpenMessage {
  readonly fd: number;
  readonly fileBytes: number;
  readonly close: () => void;
  readonly #startBytes: number;
  readonly #number: number;
  #at = 0;

  /** @throws the system's error */
  constructor(fd: number, fileBytes: number, close: () => void) {
    this.fd = fd;
    this.fileBytes = fileBytes;
    this.close = close;
    const wanted = Math.min(fileBytes, sharedBuffer.length);
    this.#startBytes = wanted === 0 ? 0 : readSync(fd, sharedBuffer, 0, wanted, 0);
    owner += 1;
    this.#number = owner;
  }

  /**
   * The first octets, 256 KiB at the most: a view that is valid until another message is opened.
   */
  start(): Buffer {
    return sharedBuffer.subarray(0, this.#startBytes);
  }

  read(into: Buffer): number {
    const isAtHand = owner === this.#number && this.#at < this.#startBytes;
    const length = isAtHand
      ? sharedBuffer.copy(into, 0, this.#at, this.#startBytes)
      : readSync(this.fd, into, 0, into.length, this.#at);
    this.#at += length;
    return length;
  }
}
