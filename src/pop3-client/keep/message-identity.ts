// What makes two copies one message: their octets, without the fields that servers over mbox files
// add once a message was seen. RFC 5322 §2.2 (fields), mbox(5). Pure.

import { createHash, type Hash } from 'node:crypto';

/** Lower-cased names of fields that come and go while the message stays the same. */
const changingFields = new Set([
  ...['status', 'x-status', 'x-uid', 'x-uidl', 'x-imap', 'x-imapbase', 'x-keywords'],
  'content-length',
]);

/** A field's name, its colon and an octet more are decided on at once. */
const longestStart = 16;

/** Lines of the body that TOP is asked for, and that `topHash` covers. RFC 1939 §7 (TOP). */
export const topLineCount = 20;

const lf = 0x0a;
const nothing = Buffer.alloc(0);

export interface MessageIdentity {
  /** SHA-256, hex, of the message with LF line ends and without changing fields. */
  readonly contentHash: string;
  /** The same of all of it, as earlier versions recorded it; null when that is no other. */
  readonly wholeHash: string | null;
  /**
   * The first 32 hex digits of the same of the header and the first `topLineCount` lines of the
   * body.
   */
  readonly topHash: string;
}

/** Takes a message piece by piece, LF line ends, trace header left out. */
export class IdentityHash {
  readonly #hash: Hash = createHash('sha256');
  #whole: Hash | null = null;
  #top: string | null = null;
  /** The start of a line of the header that is too short to be decided on. */
  #start = nothing;
  #isAtLineStart = true;
  #isInHeader = true;
  #isChanging = false;
  #bodyLines = 0;

  /** @param piece is not kept */
  update(piece: Buffer): void {
    const rest = this.#isInHeader ? this.#takeHeader(piece) : piece;
    if (rest.length > 0) this.#takeBody(rest);
  }

  digest(): MessageIdentity {
    this.#keep(this.#start);
    const contentHash = this.#hash.digest('hex');
    return {
      contentHash,
      wholeHash: this.#whole?.digest('hex') ?? null,
      topHash: this.#top ?? contentHash.slice(0, 32),
    };
  }

  /** @returns what belongs to the body */
  #takeHeader(piece: Buffer): Buffer {
    const bytes = this.#start.length === 0 ? piece : Buffer.concat([this.#start, piece]);
    this.#start = nothing;
    let keptFrom = 0;
    let at = 0;
    while (at < bytes.length) {
      const end = bytes.indexOf(lf, at);
      if (this.#isAtLineStart) {
        if (end === -1 && bytes.length - at < longestStart) {
          this.#start = Buffer.from(bytes.subarray(at));
          break;
        }
        const wasChanging = this.#isChanging;
        this.#isChanging = isChangingLine(bytes, at, wasChanging);
        if (this.#isChanging && !wasChanging) this.#keep(bytes.subarray(keptFrom, at));
        if (wasChanging && !this.#isChanging) keptFrom = at;
        if (end === at) {
          this.#keep(bytes.subarray(keptFrom, at + 1));
          this.#isInHeader = false;
          return bytes.subarray(at + 1);
        }
      }
      const stop = end === -1 ? bytes.length : end + 1;
      if (this.#isChanging) this.#drop(bytes.subarray(at, stop));
      this.#isAtLineStart = end !== -1;
      at = stop;
    }
    if (!this.#isChanging) this.#keep(bytes.subarray(keptFrom, at));
    return nothing;
  }

  #takeBody(piece: Buffer): void {
    let topEnd = 0;
    while (this.#top === null && topEnd < piece.length) {
      const end = piece.indexOf(lf, topEnd);
      topEnd = end === -1 ? piece.length : end + 1;
      if (end !== -1) this.#bodyLines += 1;
      if (this.#bodyLines < topLineCount) continue;
      this.#keep(piece.subarray(0, topEnd));
      // A slice of a string would keep all of it in memory.
      this.#top = this.#hash.copy().digest().toString('hex', 0, 16);
      this.#keep(piece.subarray(topEnd));
      return;
    }
    this.#keep(piece);
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#hash.update(bytes);
    this.#whole?.update(bytes);
  }

  #drop(bytes: Buffer): void {
    // Until now both were the same.
    this.#whole ??= this.#hash.copy();
    this.#whole.update(bytes);
  }
}

/** A line that begins with a blank continues the field before it. RFC 5322 §2.2.3. */
function isChangingLine(bytes: Buffer, at: number, wasChanging: boolean): boolean {
  const start = bytes.toString('latin1', at, at + longestStart);
  if (/^[ \t]/.test(start)) return wasChanging;
  const [, name] = /^([A-Za-z-]+):/.exec(start) ?? [];
  return name !== undefined && changingFields.has(name.toLowerCase());
}
