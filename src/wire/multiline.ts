// Multi-line responses: line ends as CRLF, byte-stuffing, octet counts. RFC 1939 §3, §7, §11. Pure.

import { HeaderEnd } from './header-end.js';
import {
  maxKernelOctets,
  multilineKernel,
  type EncoderState,
  type KernelResult,
} from './multiline-kernel.js';

const lf = 0x0a;
const cr = 0x0d;
const dot = 0x2e;
const crlf = Buffer.from('\r\n');
const dotAtLineStart = Buffer.from('\r\n.');
const nothing = Buffer.alloc(0);

/** Shorter pieces are done before the kernel would be called. */
const octetsWorthAKernel = 512;

/** The line that ends a multi-line response. */
export const terminator = Buffer.from('.\r\n');

/**
 * Turns a stored message into the body of a multi-line response: LF becomes CRLF, existing CRLF
 * stays, a lone CR passes and starts no line, a dot at the start of a line is doubled. `end`
 * completes the last line and, when the header had no end, adds the empty line that clients need
 * (Outlook hangs without it, and fdm gives up at a message of 0 octets). The terminator is the
 * caller's.
 */
export class MultilineEncoder {
  readonly #headerEnd = new HeaderEnd();
  #octets = 0;
  #state: EncoderState = { isAtLineStart: true, isAfterCr: false };

  /**
   * Octets encoded so far as LIST counts them: CRLF line ends, byte-stuffing not counted. RFC 1939
   * §11.
   */
  get octets(): number {
    return this.#octets;
  }

  /**
   * Encodes the next piece of the message; pieces may end anywhere.
   *
   * @param into memory that may be used for the result, when it is large enough: twice the piece
   *   and more
   * @returns a view of `into` or bytes of its own, never a view of `chunk`
   */
  encode(chunk: Buffer, into?: Buffer): Buffer {
    if (chunk.length === 0) return nothing;
    this.#headerEnd.look(chunk);
    const kernel = chunk.length < octetsWorthAKernel ? null : multilineKernel();
    if (kernel === null) return this.#accept(encodePlainly(chunk, this.#state));
    if (chunk.length <= maxKernelOctets)
      return this.#accept(kernel.encode(chunk, this.#state, into));
    return Buffer.concat(
      piecesOf(chunk).map((piece) => this.#accept(kernel.encode(piece, this.#state))),
    );
  }

  /** What is missing at the end of the message; of an empty one, the line that ends its header. */
  end(): Buffer {
    const missing = [
      ...(this.#state.isAtLineStart ? [] : [crlf]),
      ...(this.#headerEnd.isFound ? [] : [crlf]),
    ];
    const bytes = Buffer.concat(missing);
    this.#octets += bytes.length;
    this.#state = { isAtLineStart: true, isAfterCr: false };
    return bytes;
  }

  #accept(result: KernelResult): Buffer {
    this.#state = result;
    this.#octets += result.encoded.length - result.stuffedCount;
    return result.encoded;
  }
}

/** The same as the kernel's loop, for short pieces and processors without SIMD. */
export function encodePlainly(chunk: Buffer, before: EncoderState): KernelResult {
  // Worst case: every byte is an LF that gets a CR, or a dot that is doubled.
  const encoded = Buffer.allocUnsafe(chunk.length * 2 + 1);
  let { isAtLineStart, isAfterCr } = before;
  let length = 0;
  let stuffedCount = 0;
  // An index, not an iterator: ten times as fast over a Buffer.
  for (let at = 0; at < chunk.length; at += 1) {
    const byte = chunk[at] ?? 0;
    if (byte === lf) {
      if (!isAfterCr) encoded[length++] = cr;
      isAtLineStart = true;
    } else {
      if (isAtLineStart && byte === dot) {
        encoded[length++] = dot;
        stuffedCount += 1;
      }
      isAtLineStart = false;
    }
    encoded[length++] = byte;
    isAfterCr = byte === cr;
  }
  return { encoded: encoded.subarray(0, length), stuffedCount, isAtLineStart, isAfterCr };
}

/** The same as the kernel's count. */
export function countBareLineFeedsPlainly(chunk: Buffer, previousByte: number): number {
  let count = 0;
  for (let at = chunk.indexOf(lf); at !== -1; at = chunk.indexOf(lf, at + 1)) {
    if ((at === 0 ? previousByte : chunk[at - 1]) !== cr) count += 1;
  }
  return count;
}

/** In pieces that the kernel takes. */
function piecesOf(chunk: Buffer): readonly Buffer[] {
  return Array.from({ length: Math.ceil(chunk.length / maxKernelOctets) }, (_, index) =>
    chunk.subarray(index * maxKernelOctets, (index + 1) * maxKernelOctets),
  );
}

/**
 * Counts what `MultilineEncoder` would send of a stored message, without making it. Property-tested
 * against it.
 */
export class OctetCounter {
  readonly #headerEnd = new HeaderEnd();
  #octets = 0;
  /** Before the first byte there is no CR. */
  #lastByte = lf;

  add(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#headerEnd.look(chunk);
    const kernel = chunk.length < octetsWorthAKernel ? null : multilineKernel();
    let bareLineFeeds = 0;
    let previousByte = this.#lastByte;
    for (const piece of kernel === null ? [chunk] : piecesOf(chunk)) {
      bareLineFeeds +=
        kernel === null
          ? countBareLineFeedsPlainly(piece, previousByte)
          : kernel.countBareLineFeeds(piece, previousByte);
      previousByte = piece.at(-1) ?? previousByte;
    }
    this.#octets += chunk.length + bareLineFeeds;
    this.#lastByte = previousByte;
  }

  /** @returns the octets of the whole message; 2 for an empty one */
  total(): number {
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
  /**
   * The next piece of the message, un-stuffed, line ends as sent; may be empty. It may be a view of
   * the chunk.
   */
  readonly content: Buffer;
  /** Whether CRLF.CRLF was seen. */
  readonly isComplete: boolean;
  /**
   * What came after the terminator: the next response's bytes. Empty while the message is not
   * complete.
   */
  readonly rest: Buffer;
}

/**
 * Reads the body of a multi-line response. Only CRLF "." CRLF ends it (or "." CRLF as its first
 * line): a sender who could end it with a bare LF could forge the messages after it. A dot is taken
 * off only where a line starts after CRLF.
 */
export class MultilineDecoder {
  /** How much of CRLF "." CRLF the bytes so far match; a dot and a CR after it are held back. */
  #state: 'text' | 'cr' | 'line-start' | 'dot' | 'dot-cr' = 'line-start';

  decode(chunk: Buffer): Decoded {
    // Most messages lie in the chunk as they are to be: nothing is copied then.
    const runs: Buffer[] = [];
    let from = 0;
    let state = this.#state;
    for (let at = 0; at < chunk.length; at += 1) {
      if (state === 'text') {
        // The common case: on to the next dot at the start of a line, or to what may be before one.
        const end = chunk.indexOf(dotAtLineStart, at);
        at = end === -1 ? Math.max(at, chunk.length - 2) : end;
      }
      const byte = chunk[at];
      if (state === 'line-start' && byte === dot) {
        runs.push(chunk.subarray(from, at));
        from = at + 1;
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
          return { content: joined(runs), isComplete: true, rest: chunk.subarray(at + 1) };
        }
        // The CR came with the chunk before.
        if (at === 0) runs.push(crlf.subarray(0, 1));
        state = 'cr';
      }
      if (byte === cr) state = 'cr';
      else state = byte === lf && state === 'cr' ? 'line-start' : 'text';
    }
    this.#state = state;
    if (state !== 'dot-cr') runs.push(chunk.subarray(from));
    return { content: joined(runs), isComplete: false, rest: nothing };
  }
}

function joined(runs: readonly Buffer[]): Buffer {
  const [first = nothing] = runs;
  return runs.length <= 1 ? first : Buffer.concat(runs);
}

/** Turns CRLF into LF for a Maildir file; a lone CR stays. Pieces may end anywhere. */
export class LineFeedEncoder {
  #isAfterCr = false;

  /**
   * @param into memory for the result, an octet more than the piece at least
   * @returns a view of it
   */
  encode(chunk: Buffer, into: Buffer = Buffer.allocUnsafe(chunk.length + 1)): Buffer {
    // Copied in one go and moved there: each line that is copied alone costs an object.
    chunk.copy(into, 1);
    let length = 0;
    let from = 0;
    while (from < chunk.length) {
      // A CR is held back until it is known whether an LF follows.
      if (this.#isAfterCr && chunk[from] !== lf) into[length++] = cr;
      const end = chunk.indexOf(cr, from);
      this.#isAfterCr = end !== -1;
      const stop = end === -1 ? chunk.length : end;
      into.copyWithin(length, from + 1, stop + 1);
      length += stop - from;
      from = stop + 1;
    }
    return into.subarray(0, length);
  }

  end(): Buffer {
    const rest = this.#isAfterCr ? Buffer.from('\r') : nothing;
    this.#isAfterCr = false;
    return rest;
  }
}
