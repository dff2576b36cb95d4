// Bytes in, lines out, whatever the pieces they arrive in. A line ends with CRLF or a bare LF.
// Knows nothing of POP3's words.

import { maxDiscardedOctets } from './limits.js';

export type LineEvent =
  /** A line without its line end. Any bytes but LF, NUL and lone CRs included. */
  | { readonly kind: 'line'; readonly bytes: Buffer }
  /** A line over the limit, now read to its end and thrown away. One event, however long it was. */
  | { readonly kind: 'too-long' }
  /**
   * A line over the limit without an end in sight; nothing after it is a line. Give up on the peer.
   */
  | { readonly kind: 'endless' };

const lf = 0x0a;
const cr = 0x0d;
const nothing = Buffer.alloc(0);
const tooLong: LineEvent = { kind: 'too-long' };
const endless: LineEvent = { kind: 'endless' };

/**
 * Splits a byte stream into lines and holds at most one unfinished line plus what was pushed and
 * not taken.
 */
export class LineReader {
  readonly #maxOctets: number;
  #bytes: Buffer = nothing;
  /** Where in `#bytes` the search for LF goes on; what is before it has none. */
  #searched = 0;
  #discarded = 0;
  #isEndless = false;

  /** @param maxOctets longest line, line end not counted */
  constructor(maxOctets: number) {
    this.#maxOctets = maxOctets;
  }

  /** Octets pushed and not yet taken as lines. */
  get waitingOctets(): number {
    return this.#bytes.length;
  }

  push(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
  }

  /** The next line; null when more bytes are needed; `endless` for ever after the first. */
  next(): LineEvent | null {
    if (this.#isEndless) return this.#giveUp();
    const end = this.#bytes.indexOf(lf, this.#searched);
    if (end === -1) return this.#unfinished();
    // Also for a line that comes in one piece: pieces must make no difference.
    if (this.#isOverPatience(this.#discarded + end)) return this.#giveUp();
    const isDiscarding = this.#discarded > 0;
    this.#discarded = 0;
    this.#searched = 0;
    const line = this.#bytes.subarray(0, end);
    this.#bytes = end + 1 === this.#bytes.length ? nothing : this.#bytes.subarray(end + 1);
    const content = line.at(-1) === cr ? line.subarray(0, -1) : line;
    if (isDiscarding || content.length > this.#maxOctets) return tooLong;
    return { kind: 'line', bytes: content };
  }

  /** Takes everything that is waiting, for a peer that now speaks something other than lines. */
  takeRest(): Buffer {
    const rest = this.#bytes;
    this.#bytes = nothing;
    this.#searched = 0;
    this.#discarded = 0;
    this.#isEndless = false;
    return rest;
  }

  #unfinished(): LineEvent | null {
    this.#searched = this.#bytes.length;
    // One octet more than the limit may be the CR of the line end.
    if (this.#discarded === 0 && this.#bytes.length <= this.#maxOctets + 1) return null;
    this.#discarded += this.#bytes.length;
    this.#bytes = nothing;
    this.#searched = 0;
    return this.#isOverPatience(this.#discarded) ? this.#giveUp() : null;
  }

  #isOverPatience(lineOctets: number): boolean {
    return lineOctets > Math.max(maxDiscardedOctets, this.#maxOctets + 1);
  }

  #giveUp(): LineEvent {
    this.#isEndless = true;
    this.#bytes = nothing;
    return endless;
  }
}
