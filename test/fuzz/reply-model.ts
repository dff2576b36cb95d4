// What a client must make of a server's octets, said with strings and the whole stream at hand: no pieces, no states, no code of
// src/. RFC 1939 §3, §5, §7; RFC 2449 §5; RFC 5034 §4.

/** What ended the reading, by the name of the error. */
export type Failure = 'ConnectionLost' | 'LostStep' | 'MessageTooLarge' | 'TemporaryError';

export class ModelError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure);
    this.failure = failure;
  }
}

export interface Status {
  readonly isOk: boolean;
  readonly code: string | null;
  readonly text: string;
}

export interface ModelEntry {
  readonly number: number;
  readonly listedOctets: string | null;
  readonly uniqueId: string | null;
}

/** No line of one reply is longer. */
const mostLineOctets = 12_288;

export class ReplyModel {
  readonly #stream: string;
  #at = 0;

  /** @param stream all that the server sends before it closes, latin1 */
  constructor(stream: string) {
    this.#stream = stream;
  }

  /** Octets that were read. */
  get at(): number {
    return this.#at;
  }

  get rest(): string {
    return this.#stream.slice(this.#at);
  }

  line(): string {
    const end = this.rest.indexOf('\n');
    if (end > mostLineOctets) throw new ModelError('LostStep');
    if (end === -1) {
      throw new ModelError(this.rest.length > mostLineOctets ? 'LostStep' : 'ConnectionLost');
    }
    const line = this.rest.slice(0, end);
    this.#at += end + 1;
    if (!line.endsWith('\r')) throw new ModelError('LostStep');
    return line.slice(0, -1);
  }

  status(): Status {
    const status = statusOf(this.line());
    if (status === null) throw new ModelError('LostStep');
    return status;
  }

  /** @returns a challenge's text, or a status */
  sasl(): Status | string {
    const line = this.line();
    if (line === '+') return '';
    if (line.startsWith('+ ')) return line.slice(2);
    const status = statusOf(line);
    if (status === null) throw new ModelError('LostStep');
    return status;
  }

  message(maxOctets: number, tooLarge: Failure = 'MessageTooLarge'): string {
    // The line before the first one is the status line, which ended with CRLF.
    const text = `\r\n${this.rest}`;
    const end = text.indexOf('\r\n.\r\n');
    const raw = end === -1 ? this.rest : text.slice(2, end + 2);
    let content = `\r\n${raw}`.replace(/\r\n\./g, '\r\n').slice(2);
    // What may yet become the terminator is nothing so far.
    if (end === -1 && text.endsWith('\r\n.\r')) content = content.slice(0, -1);
    if (content.length > maxOctets) throw new ModelError(tooLarge);
    if (end === -1) throw new ModelError('ConnectionLost');
    this.#at += raw.length + '.\r\n'.length;
    return content;
  }

  lines(maxLineOctets: number, maxOctets: number): string[] {
    return this.message(maxOctets, 'LostStep')
      .split('\n')
      .filter((line) => line.endsWith('\r') && line.length <= maxLineOctets)
      .map((line) => line.slice(0, -1));
  }

  capabilities(): [name: string, parameters: string[]][] {
    const found = new Map<string, string[]>();
    if (!this.status().isOk) return [];
    for (const line of this.lines(1024, 65_536)) {
      const [name, ...parameters] = line.split(' ').filter((word) => word !== '');
      if (name !== undefined && found.size < 200) found.set(name.toUpperCase(), parameters);
    }
    return [...found];
  }

  /** LIST, UIDL and UIDL 1, sent together. */
  listing(): { entries: ModelEntry[]; ignoredLines: number; hasUniqueIds: boolean; first: Status } {
    if (!this.status().isOk) throw new ModelError('TemporaryError');
    const sizes = new Map<number, (string | null)[]>();
    let ignoredLines = 0;
    for (const line of this.lines(512, Number.POSITIVE_INFINITY)) {
      const [word = '', size = ''] = line.split(/ +/);
      const number = numberOf(word);
      if (number === null) ignoredLines += 1;
      else sizes.set(number, [...(sizes.get(number) ?? []), size.slice(0, 20) || null]);
    }
    const uidl = this.status();
    const hasUniqueIds = uidl.isOk;
    if (!hasUniqueIds && /^(?:SYS\/TEMP|IN-USE)$/.test(uidl.code ?? '')) {
      throw new ModelError('TemporaryError');
    }
    const ids = new Map<number, string[]>();
    for (const line of hasUniqueIds ? this.lines(512, Number.POSITIVE_INFINITY) : []) {
      const [, word = '', id = ''] = /^(\d+) +([^ ](?:[^]*[^ ])?) *$/.exec(line) ?? [];
      const number = numberOf(word);
      if (number !== null && sizes.has(number)) ids.set(number, [...(ids.get(number) ?? []), id]);
    }
    const own = (number: number): string | null => {
      const [id, second] = ids.get(number) ?? [];
      return id === undefined || second !== undefined ? null : id;
    };
    const owners = (id: string): number =>
      [...ids.keys()].filter((number) => own(number) === id).length;
    const entries = [...sizes]
      .filter(([, all]) => all.length === 1)
      .map(([number, [listedOctets = null]]) => {
        const id = own(number);
        return { number, listedOctets, uniqueId: id !== null && owners(id) === 1 ? id : null };
      })
      .sort((one, other) => one.number - other.number);
    ignoredLines += [...sizes.values()].filter((all) => all.length > 1).length;
    return { entries, ignoredLines, hasUniqueIds, first: this.status() };
  }
}

function statusOf(line: string): Status | null {
  const [indicator = '', ...words] = line.split(' ');
  const isOk = indicator.toUpperCase() === '+OK';
  if (!isOk && indicator.toUpperCase() !== '-ERR') return null;
  const text = words.join(' ');
  const end = text.startsWith('[') ? text.indexOf(']') : -1;
  if (end === -1) return { isOk, code: null, text };
  return {
    isOk,
    code: text.slice(1, end).toUpperCase(),
    text: text.slice(end + 1).replace(/^ /, ''),
  };
}

function numberOf(word: string): number | null {
  if (!/^[0-9]{1,10}$/.test(word)) return null;
  const number = Number(word);
  return number >= 1 && number < 2 ** 31 ? number : null;
}
