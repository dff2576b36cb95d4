// Messages that mail programs have stumbled over, made anew by each run: over 40 of them, 50 MB in all.

export interface AwkwardMessage {
  /** What is awkward about it. */
  readonly name: string;
  /** As a Maildir file holds it. */
  readonly stored: Buffer;
}

const mebibyte = 1 << 20;
/** The sizes in which Node and pop3d read files; what happens at their borders is where encoders go wrong. */
const nodeChunkOctets = 65_536;
const pop3dChunkOctets = 262_144;
const header = 'From: a@example.org\nTo: b@example.org\nSubject: awkward\n\n';

/** The corpus, in a fixed order and with the same bytes each time. */
export function awkwardMessages(): AwkwardMessage[] {
  return [
    ...smallTexts(),
    ...chunkBorders(nodeChunkOctets),
    ...chunkBorders(pop3dChunkOctets),
    ...largeMessages(),
  ];
}

function smallTexts(): AwkwardMessage[] {
  const texts: Record<string, string> = {
    'nothing at all': '',
    'one LF': '\n',
    'one CRLF': '\r\n',
    'one CR': '\r',
    'one dot': '.',
    'one letter': 'x',
    'one NUL': '\0',
    'two empty lines': '\n\n',
    'header without body or empty line': 'Subject: x\n',
    'header without final newline': 'Subject: x',
    'header and empty line only': 'Subject: x\n\n',
    'header and empty line, CRLF': 'Subject: x\r\n\r\n',
    'header ended by CR alone': 'Subject: x\n\r',
    'body without header': '\nbody\n',
    'no final newline': `${header}last line`,
    'final CR without LF': `${header}last line\r`,
    'final lone dot without newline': `${header}.`,
    'first byte a dot': '.Subject: x\n\nbody\n',
    'first line a lone dot': '.\nSubject: x\n\nbody\n',
    'first line two dots': '..\n\nbody\n',
    'lone dot line in the body': `${header}before\n.\nafter\n`,
    'lone dot line, CRLF': `${header}before\r\n.\r\nafter\r\n`,
    'dot line just after the empty line': `${header}.\nafter\n`,
    'dot line in the header': 'Subject: x\n.\nX-After: y\n\nbody\n',
    'many dot lines': `${header}${'.\n..\n...\n.x\n'.repeat(50)}`,
    'all line ends CRLF': `${header}one\ntwo\n`.replaceAll('\n', '\r\n'),
    'CRLF and LF mixed': `Subject: x\r\nTo: y\n\r\none\ntwo\r\nthree\n`,
    'CRLF header, LF empty line': 'Subject: x\r\n\none\r\ntwo\n',
    'lone CR in the body': `${header}one\rtwo\r\rthree\n`,
    'CR CR LF': `${header}one\r\r\ntwo\r\r\r\n`,
    'dot after a lone CR': `${header}one\r.two\r.\rthree\n`,
    'LF CR order': `${header}one\n\rtwo\n\r.\n`,
    'empty line of CR CR LF': 'Subject: x\n\r\r\nnot the body yet\n\nbody\n',
    'line of blanks as the empty line': 'Subject: x\n \nstill header\n\nbody\n',
    'empty lines at the end': `${header}body\n\n\n\n`,
    'empty lines only in the body': `${header}${'\n'.repeat(100)}`,
    NULs: `Subject: x\0y\n\n\0\n.\0\n\0.\nbody\0`,
    'NUL at the start': '\0Subject: x\n\nbody\n',
    'control characters': `${header}\u0001\u0002\u0007\u0008\u000b\u000c\u001a\u001b[2J\u007f\n`,
    'no colon in the header': 'this is no header\nneither is this\n\nbody\n',
    'folded header lines': 'Subject: a\n b\n\tc\n .d\nX: y\n\nbody\n',
    'mbox separator line': `From a@example.org Sat Nov 21 10:00:00 2026\n${header}From here\n>From there\n`,
    'terminator look-alike': `${header}x\n.\r\n+OK not a reply\r\n-ERR neither\n`,
    'status look-alike at the start': '+OK 1 message\r\n.\r\n-ERR\r\n',
  };
  return Object.entries(texts).map(([name, text]) => message(name, text));
}

/** Line ends, dots and the end of the header around the places where a file is cut into pieces. */
function chunkBorders(chunkOctets: number): AwkwardMessage[] {
  const around = (sequence: string, before: number): string => {
    const filler = lines(chunkOctets).slice(0, chunkOctets - header.length - before);
    return `${header}${filler}${sequence}${lines(2000)}`;
  };
  return [
    message('CR is the last byte of a piece, LF the first of the next', around('\r\nx', 1)),
    message('lone CR is the last byte of a piece', around('\rx', 1)),
    message('LF is the last byte of a piece, a dot the first of the next', around('\n.\nx', 1)),
    message('dot is the last byte of a piece', around('\n.\r\nx', 2)),
    message('CR of a dot line is the last byte of a piece', around('\n.\r\nx', 3)),
    message('a byte less than a piece', around('', 0).slice(0, chunkOctets - 1)),
    message('exactly one piece', around('', 0).slice(0, chunkOctets)),
    message('exactly one piece and an LF', `${around('x', 1).slice(0, chunkOctets)}\n`),
    message('header longer than a piece', `Subject: x\n${headerLines(chunkOctets)}\nbody\n`),
    message(
      'end of the header at the border of a piece',
      `${headerLines(2 * chunkOctets).slice(0, chunkOctets - 1)}\n\nbody\n`,
    ),
    message(
      'end of the header, CRLF, at the border of a piece',
      `${headerLines(2 * chunkOctets).slice(0, chunkOctets - 3)}\r\n\r\nbody\n`,
    ),
    message(
      'one piece without an end of the header',
      headerLines(chunkOctets).slice(0, chunkOctets),
    ),
  ].map(({ name, stored }) => ({ name: `${name} (${chunkOctets})`, stored }));
}

function largeMessages(): AwkwardMessage[] {
  const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  return [
    message(
      'UTF-8 in header and body',
      `Subject: Grüße 日本\n\n${'Ünïcödé ☃ '.repeat(100)}\n`,
      'utf8',
    ),
    message('8-bit, no valid UTF-8', `Subject: caf\xe9\n\n\xff\xfe\xc3\x28\x80\n`),
    {
      name: 'every byte value',
      stored: Buffer.concat([Buffer.from(header), everyByte, everyByte]),
    },
    message('a line of 10 MB', `${header}${'y'.repeat(10 * mebibyte)}\nafter\n`),
    message('a header line of 1 MB', `Subject: ${'z'.repeat(mebibyte)}\n\nbody\n`),
    message('one million empty lines', `${header}${'\n'.repeat(1_000_000)}`),
    message('one million dot lines', `${header}${'.\n'.repeat(1_000_000)}`),
    message('2 MB of dots in one line', `${header}${'.'.repeat(2 * mebibyte)}`),
    message('2 MB of CRs', `${header}${'\r'.repeat(2 * mebibyte)}\n`),
    { name: '4 MB of noise', stored: Buffer.concat([Buffer.from(header), noise(4 * mebibyte)]) },
    message('8 MB of CRLF lines', `${header}${lines(8 * mebibyte)}`.replaceAll('\n', '\r\n')),
    message('20 MB of LF lines', `${header}${lines(20 * mebibyte)}`),
  ];
}

function message(
  name: string,
  text: string,
  encoding: 'latin1' | 'utf8' = 'latin1',
): AwkwardMessage {
  return { name, stored: Buffer.from(text, encoding) };
}

/** About so many octets of lines of varying length, some of them starting with dots. */
function lines(octets: number): string {
  const block = Array.from({ length: 80 }, (_, length) =>
    length % 9 === 0 ? `.${'w'.repeat(length)}` : 'v'.repeat(length),
  );
  const text = `${block.join('\n')}\n`;
  return text.repeat(Math.ceil(octets / text.length));
}

/** At least so many octets of header lines, an LF after each. */
function headerLines(octets: number): string {
  return 'X-Filler: 0123456789abcdef\n'.repeat(Math.ceil(octets / 27));
}

/** Bytes of a linear congruential generator: every value, every pair, the same in each run. */
function noise(octets: number): Buffer {
  const bytes = Buffer.alloc(octets);
  let state = 20_061_939;
  for (let at = 0; at < octets; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}
