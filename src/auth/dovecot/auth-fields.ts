// Lines of Dovecot's auth protocols: words between tabs, of which some are `name=value`. Octets
// that would be taken for others stand behind 0x01 (Dovecot: lib/strescape.c).

const escapes: Readonly<Record<string, string>> = {
  '\0': '\u00010',
  '\u0001': '\u00011',
  '\t': '\u0001t',
  '\r': '\u0001r',
  '\n': '\u0001n',
};
const unescapes: Readonly<Record<string, string>> = {
  '0': '\0',
  '1': '\u0001',
  t: '\t',
  r: '\r',
  n: '\n',
};

export interface AuthLine {
  readonly word: string;
  readonly words: readonly string[];
  /** Of the words from the second on; `true` for one without `=`. */
  readonly fields: ReadonlyMap<string, string | true>;
}

export function parseAuthLine(line: string): AuthLine {
  const [word = '', ...words] = line.split('\t').map(unescape);
  const fields = new Map<string, string | true>();
  for (const field of words.slice(1)) {
    const at = field.indexOf('=');
    if (at === -1) fields.set(field, true);
    else fields.set(field.slice(0, at), field.slice(at + 1));
  }
  return { word, words, fields };
}

export function formatAuthLine(words: readonly string[]): string {
  return `${words.map(escape).join('\t')}\n`;
}

function escape(text: string): string {
  return text.replace(/[\0\u0001\t\r\n]/g, (octet) => escapes[octet] ?? octet);
}

function unescape(text: string): string {
  return text.replace(/\u0001(.)/gs, (_, letter: string) => unescapes[letter] ?? letter);
}
