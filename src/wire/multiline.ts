// Multi-line responses: line ends as CRLF, byte-stuffing, octet counts. RFC 1939 §3, §7, §11. Pure.

import { HeaderEnd } from './header-end.js';

const lf = 0x0a;
const cr = 0x0d;
const dot = 0x2e;
const crlf = Buffer.from('\r\n');
const nothing = Buffer.alloc(0);

/** The line that ends a multi-line response. */
export const terminator = Buffer.from('.\r\n');

/**
 * Turns a stored message into the body of a multi-line response: LF becomes CRLF, existing CRLF stays, a lone CR passes
 * and starts no line, a dot at the start of a line is doubled. `end` completes the last line and, when the header
 * had no end, adds the empty line that clients need (Outlook hangs without it). The terminator is the caller's.
 */
export class MultilineEncoder {
  readonly #headerEnd = new HeaderEnd();
  #octets = 0;
  #isAtLineStart = true;
  #isAfterCr = false;

  /** Octets encoded so far as LIST counts them: CRLF line ends, byte-stuffing not counted. RFC 1939 §11. */
  get octets(): number {
    return this.#octets;
  }

  /** Encodes the next piece of the message; pieces may end anywhere. @returns bytes of its own, not a view of `chunk` */
  encode(chunk: Buffer): Buffer {
    if (chunk.length === 0) return nothing;
    this.#headerEnd.look(chunk);
    // Worst case: every byte is an LF that gets a CR, or a dot that is doubled.
    const encoded = Buffer.allocUnsafe(chunk.length * 2 + 1);
    let length = 0;
    let stuffed = 0;
    let isAtLineStart = this.#isAtLineStart;
    let isAfterCr = this.#isAfterCr;
    for (const byte of chunk) {
      if (byte === lf) {
        if (!isAfterCr) encoded[length++] = cr;
        isAtLineStart = true;
      } else {
        if (isAtLineStart && byte === dot) {
          encoded[length++] = dot;
          stuffed += 1;
        }
        isAtLineStart = false;
      }
      encoded[length++] = byte;
      isAfterCr = byte === cr;
    }
    this.#isAtLineStart = isAtLineStart;
    this.#isAfterCr = isAfterCr;
    this.#octets += length - stuffed;
    return encoded.subarray(0, length);
  }

  /** What is missing at the end of the message. @returns nothing for an empty message: it has no header to end */
  end(): Buffer {
    const isEmpty = this.#octets === 0;
    const missing = [
      ...(this.#isAtLineStart ? [] : [crlf]),
      ...(isEmpty || this.#headerEnd.isFound ? [] : [crlf]),
    ];
    const bytes = Buffer.concat(missing);
    this.#octets += bytes.length;
    this.#isAtLineStart = true;
    return bytes;
  }
}

/** Counts what `MultilineEncoder` would send of a stored message, without making it. Property-tested against it. */
export class OctetCounter {
  readonly #headerEnd = new HeaderEnd();
  #octets = 0;
  /** Before the first byte there is no CR. */
  #lastByte = lf;

  add(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#headerEnd.look(chunk);
    let bareLineFeeds = 0;
    for (let at = chunk.indexOf(lf); at !== -1; at = chunk.indexOf(lf, at + 1)) {
      if ((at === 0 ? this.#lastByte : chunk[at - 1]) !== cr) bareLineFeeds += 1;
    }
    this.#octets += chunk.length + bareLineFeeds;
    this.#lastByte = chunk[chunk.length - 1] ?? lf;
  }

  /** @returns the octets of the whole message; 0 for an empty one */
  total(): number {
    if (this.#octets === 0) return 0;
    const lineEnd = this.#lastByte === lf ? 0 : crlf.length;
    const emptyLine = this.#headerEnd.isFound ? 0 : crlf.length;
    return this.#octets + lineEnd + emptyLine;
  }
}

/** The octets of a message that is at hand whole. */
export function countOctets(message: Buffer): number {
  const counter = new OctetCounter();
  counter.add(message);
  return counter.total();
}

export interface Decoded {
  /** The next piece of the message, un-stuffed, line ends as sent; may be empty. */
  readonly content: Buffer;
  /** Whether CRLF.CRLF was seen. */
  readonly isComplete: boolean;
  /** What came after the terminator: the next response's bytes. Empty while the message is not complete. */
  readonly rest: Buffer;
}

/**
 * Reads the body of a multi-line response. Only CRLF "." CRLF ends it (or "." CRLF as its first line): a sender who could
 * end it with a bare LF could forge the messages after it. A dot is taken off only where a line starts after CRLF.
 */
export class MultilineDecoder {
  /** How much of CRLF "." CRLF the bytes so far match; a dot and a CR after it are held back. */
  #state: 'text' | 'cr' | 'line-start' | 'dot' | 'dot-cr' = 'line-start';

  decode(chunk: Buffer): Decoded {
    const content = Buffer.allocUnsafe(chunk.length + 2);
    let length = 0;
    let state = this.#state;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (state === 'text') {
        // The common case: copy up to the next CR in one go.
        const end = chunk.indexOf(cr, at);
        const stop = end === -1 ? chunk.length : end + 1;
        length += chunk.copy(content, length, at, stop);
        at = stop - 1;
        if (end !== -1) state = 'cr';
        continue;
      }
      if (state === 'line-start' && byte === dot) {
        state = 'dot';
        continue;
      }
      if (state === 'dot' && byte === cr) {
        state = 'dot-cr';
        continue;
      }
      if (state === 'dot-cr') {
        if (byte === lf) {
          this.#state = 'line-start';
          return {
            content: content.subarray(0, length),
            isComplete: true,
            rest: chunk.subarray(at + 1),
          };
        }
        content[length++] = cr;
        state = 'cr';
      }
      content[length++] = byte;
      if (byte === cr) state = 'cr';
      else state = byte === lf && state === 'cr' ? 'line-start' : 'text';
    }
    this.#state = state;
    return { content: content.subarray(0, length), isComplete: false, rest: nothing };
  }
}

/** Turns CRLF into LF for a Maildir file; a lone CR stays. Pieces may end anywhere. */
export class LineFeedEncoder {
  #isAfterCr = false;

  encode(chunk: Buffer): Buffer {
    const encoded = Buffer.allocUnsafe(chunk.length + 1);
    let length = 0;
    for (const byte of chunk) {
      if (this.#isAfterCr && byte !== lf) encoded[length++] = cr;
      this.#isAfterCr = byte === cr;
      if (!this.#isAfterCr) encoded[length++] = byte;
    }
    return encoded.subarray(0, length);
  }

  end(): Buffer {
    const rest = this.#isAfterCr ? Buffer.from('\r') : nothing;
    this.#isAfterCr = false;
    return rest;
  }
}
