// A POP3 session as lines of text that somebody may read: both directions, what could be a password
// masked. Pure.

import { SessionMask } from './mask.js';

/** Longest part of a line that is written, in octets. */
const maxLineOctets = 1000;

/** The first octet of a TLS connection: a record of type handshake (RFC 8446 §5.1). */
const tlsHandshake = 0x16;

type Direction = 'C' | 'S';

/** Octets of one direction until their line is whole. */
interface PartialLine {
  text: string;
  /** Of the line so far; the text stops at `maxLineOctets`. */
  octets: number;
}

export class Transcript {
  readonly #write: (line: string) => void;
  readonly #partial: Record<Direction, PartialLine> = {
    C: { text: '', octets: 0 },
    S: { text: '', octets: 0 },
  };
  readonly #mask = new SessionMask();
  #isTlsAsked = false;
  #isEncrypted = false;
  #isFirst = true;

  /**
   * @param write gets each line, without its end, of printable ASCII: `C: …` from the client, `S:
   *   …` from the server
   */
  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  /** Octets that the client sent. */
  addFromClient(octets: Buffer): void {
    if (this.#isFirst && octets[0] === tlsHandshake) this.#stop();
    this.#isFirst = false;
    this.#add('C', octets);
  }

  /** Octets that the server sent. */
  addFromServer(octets: Buffer): void {
    this.#add('S', octets);
  }

  /** Writes what has no line end. */
  end(): void {
    for (const direction of ['C', 'S'] as const) {
      if (this.#partial[direction].octets > 0) this.#finishLine(direction);
    }
  }

  #add(direction: Direction, octets: Buffer): void {
    for (let start = 0; start < octets.length && !this.#isEncrypted;) {
      const end = octets.indexOf(10, start);
      const piece = octets.subarray(start, end === -1 ? octets.length : end);
      const partial = this.#partial[direction];
      const room = maxLineOctets - partial.text.length;
      partial.text += piece.subarray(0, room).toString('latin1');
      partial.octets += piece.length;
      if (end === -1) return;
      this.#finishLine(direction);
      start = end + 1;
    }
  }

  #finishLine(direction: Direction): void {
    const { text, octets } = this.#partial[direction];
    this.#partial[direction] = { text: '', octets: 0 };
    const line = text.replace(/\r$/, '');
    const shown =
      direction === 'C'
        ? this.#mask.command(line, octets - (text.length - line.length))
        : this.#mask.reply(line);
    const cut = octets > maxLineOctets ? ` (${octets} octets)` : '';
    this.#write(`${direction}: ${escape(shown)}${cut}`);
    if (direction === 'C' && /^STLS\s*$/i.test(line)) this.#isTlsAsked = true;
    if (direction === 'S' && this.#isTlsAsked && line.startsWith('+OK')) this.#stop();
  }

  #stop(): void {
    this.#write('(TLS from here on)');
    this.#isEncrypted = true;
  }
}

function escape(text: string): string {
  return text.replace(
    /[^ -~]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
