// A POP3 session as lines of text that somebody may read: both directions, what could be a password masked. Pure.

/** Longest part of a line that is written, in octets. */
const maxLineOctets = 1000;

/** Client commands that are written whole. Whatever is none of them may be a password, or a SASL response. */
const plainCommands = new Set(
  'CAPA STLS QUIT USER STAT LIST RETR DELE NOOP RSET TOP UIDL LANG UTF8'.split(' '),
);

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
  #isTlsAsked = false;
  #isEncrypted = false;
  #isFirst = true;

  /** @param write gets each line, without its end, of printable ASCII: `C: …` from the client, `S: …` from the server */
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
      direction === 'C' ? maskCommand(line, octets - (text.length - line.length)) : maskReply(line);
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

/** The command without its password: PASS keeps nothing but the keyword, APOP the name, AUTH the mechanism. */
function maskCommand(line: string, octets: number): string {
  const [, keyword = '', rest = ''] = /^([A-Za-z0-9]+)(.*)$/s.exec(line) ?? [];
  const upper = keyword.toUpperCase();
  if (plainCommands.has(upper) && /^(?: |$)/.test(rest)) return line;
  if (upper === 'PASS') return `${keyword} (masked)`;
  const [, operand] = /^ +([^ ]+)/.exec(rest) ?? [];
  if (upper === 'APOP' && operand !== undefined) return `${keyword} ${operand} (masked)`;
  if (upper === 'AUTH') {
    if (operand === undefined) return keyword;
    const mechanism = /^[A-Za-z0-9_-]{1,20}$/.test(operand) ? ` ${operand}` : '';
    return `${keyword}${mechanism}${/^ +[^ ]+ *$/.test(rest) && mechanism !== '' ? '' : ' (masked)'}`;
  }
  return `(${octets} octets masked)`;
}

/** A SASL challenge may have what was said before in it. */
function maskReply(line: string): string {
  return /^\+ ./.test(line) ? '+ (masked)' : line;
}

function escape(text: string): string {
  return text.replace(
    /[^ -~]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
