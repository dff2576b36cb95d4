// Replies out of a byte stream: status lines, challenges, listings, messages. Bounded in length and
// in time. RFC 1939 §3, RFC 5034 §4. Knows no commands.

import { maxAuthLineOctets } from '../../wire/limits.js';
import { MultilineDecoder } from '../../wire/multiline.js';
import { parseChallenge, parseResponse, type Response } from '../../wire/response.js';
import type { ByteSource } from './byte-source.js';
import {
  ConnectionLost,
  LostAhead,
  LostStep,
  MessageTooLarge,
  quoteServerText,
} from '../settings/failures.js';

/** A connection on which fewer octets than this arrive within the timeout is stalled. */
const progressOctets = 1024;
/** Most octets of a message that are handed on at a time. */
export const maxPieceOctets = 16_384;
const nothing = Buffer.alloc(0);

export type SaslReply =
  | { readonly kind: 'challenge'; readonly base64: string }
  | { readonly kind: 'response'; readonly response: Response };

export interface TextLimits {
  /** Longest line that is handed on; longer ones are counted and dropped. */
  readonly maxLineOctets: number;
  /** Octets of the whole reply. */
  readonly maxOctets: number;
}

export class ReplyReader {
  readonly #source: ByteSource;
  readonly #timeoutMs: number;
  #bytes: Buffer = nothing;
  #isPassingOver = false;

  /**
   * @param timeoutMs for a status line as a whole; in a longer reply, for each 1,024 octets of it
   */
  constructor(source: ByteSource, timeoutMs: number) {
    this.#source = source;
    this.#timeoutMs = timeoutMs;
  }

  /** Takes what has arrived without being asked for. @returns whether there was anything */
  takeSurplus(): boolean {
    const hadBytes = this.#bytes.length > 0;
    this.#bytes = nothing;
    let hadChunks = false;
    while (this.#source.tryTake() !== null) hadChunks = true;
    return hadBytes || hadChunks;
  }

  /**
   * @throws LostStep when the line is none of "+OK" and "-ERR", too long, or not ended by CRLF;
   *   ConnectionLost
   */
  async readResponse(): Promise<Response> {
    const line = await this.readLine();
    const response = parseResponse(line);
    if (response === null) throw unexpected(line);
    return response;
  }

  /** Reads a reply in a SASL exchange. Throws as `readResponse` does. */
  async readSaslReply(): Promise<SaslReply> {
    const line = await this.readLine();
    const base64 = parseChallenge(line);
    if (base64 !== null) return { kind: 'challenge', base64 };
    const response = parseResponse(line);
    if (response === null) throw unexpected(line);
    return { kind: 'response', response };
  }

  /** A command went ahead of the next one: its reply, whatever it says, is read with that one's. */
  passOver(): void {
    this.#isPassingOver = true;
  }

  /** Reads one line, without its CRLF. @throws LostAhead for ConnectionLost after `passOver` */
  async readLine(): Promise<Buffer> {
    if (!this.#isPassingOver) return this.#readLine();
    this.#isPassingOver = false;
    try {
      await this.readResponse();
      return await this.#readLine();
    } catch (error) {
      throw error instanceof ConnectionLost ? new LostAhead(error.message) : error;
    }
  }

  async #readLine(): Promise<Buffer> {
    const deadline = performance.now() + this.#timeoutMs;
    let searched = 0;
    for (;;) {
      const end = this.#bytes.indexOf(0x0a, searched);
      if (end > maxAuthLineOctets || (end === -1 && this.#bytes.length > maxAuthLineOctets)) {
        throw new LostStep('the server sent an endless line where a reply was due');
      }
      if (end !== -1) {
        const line = this.#bytes.subarray(0, Math.max(0, end - 1));
        if (this.#bytes[end - 1] !== 0x0d) {
          throw new LostStep('the server ends lines with LF alone, which no POP3 server may');
        }
        this.#bytes = this.#bytes.subarray(end + 1);
        return line;
      }
      searched = this.#bytes.length;
      const chunk = await this.#source.take(deadline);
      this.#bytes = searched === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    }
  }

  /**
   * Reads the rest of a multi-line reply as lines. A line ends with CRLF.
   *
   * @throws LostStep when the reply goes on beyond `maxOctets`; ConnectionLost
   */
  async readLines(limits: TextLimits, onLine: (line: Buffer) => void): Promise<void> {
    let unfinished: Buffer = nothing;
    let isTooLong = false;
    let octets = 0;
    await this.#readMultiline((piece) => {
      octets += piece.length;
      if (octets > limits.maxOctets) throw new LostStep('the server sent an endless listing');
      let start = 0;
      for (let end = piece.indexOf(0x0a); end !== -1; end = piece.indexOf(0x0a, start)) {
        const tail = piece.subarray(start, end);
        const line = unfinished.length === 0 ? tail : Buffer.concat([unfinished, tail]);
        // A line feed without CR before it is part of a line that is malformed then.
        if (!isTooLong && line.length <= limits.maxLineOctets && line.at(-1) === 0x0d) {
          onLine(line.subarray(0, -1));
        }
        isTooLong = false;
        unfinished = nothing;
        start = end + 1;
      }
      if (unfinished.length + piece.length - start > limits.maxLineOctets) {
        isTooLong = true;
        unfinished = nothing;
      } else if (start < piece.length) {
        unfinished = Buffer.concat([unfinished, piece.subarray(start)]);
      }
      return undefined;
    });
  }

  /**
   * Reads the rest of a reply to RETR, un-stuffed, line ends as sent.
   *
   * @param onPiece gets at most `maxPieceOctets`, which it must not change
   * @returns the octets of the message
   * @throws MessageTooLarge beyond `maxOctets`; ConnectionLost; what `onPiece` throws
   */
  async readMessage(maxOctets: number, onPiece: (piece: Buffer) => void): Promise<number> {
    let octets = 0;
    await this.#readMultiline((piece) => {
      octets += piece.length;
      if (octets > maxOctets)
        throw new MessageTooLarge(`the message is larger than ${maxOctets} octets`);
      onPiece(piece);
    });
    return octets;
  }

  async #readMultiline(onPiece: (piece: Buffer) => void): Promise<void> {
    const decoder = new MultilineDecoder();
    // Only waiting counts: time that we take is not the server's.
    let waitMs = this.#timeoutMs;
    let octetsInTime = 0;
    for (;;) {
      if (this.#bytes.length === 0) {
        const taken = this.#source.tryTake();
        if (taken === null) {
          const startedMs = performance.now();
          this.#bytes = await this.#source.take(startedMs + waitMs);
          waitMs -= performance.now() - startedMs;
        } else this.#bytes = taken;
        octetsInTime += this.#bytes.length;
        if (octetsInTime >= progressOctets) {
          waitMs = this.#timeoutMs;
          octetsInTime = 0;
        }
      }
      const piece = this.#bytes.subarray(0, maxPieceOctets);
      const { content, isComplete, rest } = decoder.decode(piece);
      this.#bytes = this.#bytes.subarray(piece.length - rest.length);
      if (content.length > 0) onPiece(content);
      if (isComplete) return;
    }
  }
}

function unexpected(line: Buffer): LostStep {
  return new LostStep(
    `the server sent ${quoteServerText(line.toString('latin1'))} where a reply was due`,
  );
}
