// TOP: a message's header, the empty line and the first lines of its body. RFC 1939 §7.

import { HeaderEnd } from './header-end.js';

const lf = 0x0a;

/** Cuts a stored message, piece by piece, after its header and a number of body lines. */
export class TopCutter {
  readonly #headerEnd = new HeaderEnd();
  #linesLeft: number;

  /** @param lineCount body lines wanted, 0 or more; more than there are means the whole message */
  constructor(lineCount: number) {
    this.#linesLeft = lineCount;
  }

  /** @returns the part of the piece to send, and whether that was all */
  cut(chunk: Buffer): { readonly bytes: Buffer; readonly isComplete: boolean } {
    let at = 0;
    if (!this.#headerEnd.isFound) {
      at = this.#headerEnd.look(chunk);
      if (at === -1) return { bytes: chunk, isComplete: false };
    }
    while (this.#linesLeft > 0) {
      const end = chunk.indexOf(lf, at);
      if (end === -1) return { bytes: chunk, isComplete: false };
      at = end + 1;
      this.#linesLeft -= 1;
    }
    return { bytes: chunk.subarray(0, at), isComplete: true };
  }
}
