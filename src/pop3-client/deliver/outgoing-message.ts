// A message that is to be handed over: a file in tmp, with a field before it that is the same
// whenever the same message is handed over. RFC 7352 §3.1 (duplicate).

import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { MultilineEncoder, terminator } from '../../wire/multiline.js';

/** What the header may have of what is looked for; the rest of it is not read for that. */
const maxHeaderOctets = 65_536;

export class OutgoingMessage {
  readonly #path: string;
  /** 32 hex digits: one message of one account. */
  readonly id: string;
  /** Whether it was handed over before and nobody knows what became of it. */
  readonly isRepeat: boolean;

  constructor(path: string, id: string, isRepeat: boolean) {
    this.#path = path;
    this.id = id;
    this.isRepeat = isRepeat;
  }

  get field(): string {
    return `X-Pop3get-Id: ${this.id}`;
  }

  /** Octets, LF line ends, the field first. Throws the system's error. */
  async *lines(): AsyncGenerator<Buffer> {
    yield Buffer.from(`${this.field}\n`);
    yield* createReadStream(this.#path) as AsyncIterable<Buffer>;
  }

  /** As DATA has it: CRLF line ends, byte-stuffed, up to the dot that is not in it yet. */
  async *stuffed(): AsyncGenerator<Buffer> {
    const encoder = new MultilineEncoder();
    for await (const piece of this.lines()) yield encoder.encode(piece);
    yield encoder.end();
  }

  /** The first value of a field, unfolded; null when it is not among the header's first 64 kB. */
  async findField(name: string): Promise<string | null> {
    const file = await open(this.#path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(maxHeaderOctets));
      const [header = ''] = buffer.toString('latin1', 0, bytesRead).split('\n\n');
      const pattern = new RegExp(`^${name}:((?:.*)(?:\\n[ \\t].*)*)`, 'im');
      return pattern.exec(header)?.[1]?.replace(/\s+/g, ' ').trim() ?? null;
    } finally {
      await file.close();
    }
  }

  /** Where the message came from, for MAIL FROM; empty when its Return-Path does not say. */
  async sender(): Promise<string> {
    const path = (await this.findField('return-path')) ?? '';
    return /^<([!-;=?-~]{1,254})>$/.exec(path)?.[1] ?? '';
  }
}

export { terminator };
