import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  countOctets,
  LineFeedEncoder,
  MultilineDecoder,
  MultilineEncoder,
  OctetCounter,
  terminator,
} from '../../../src/wire/multiline.js';
import { fixedDraws, inPieces, messageBytes } from '../../support/mail/arbitrary-message.js';
import { chunkings } from '../../support/sessions/chunkings.js';
import { holds } from '../../support/suite/property.js';

function encode(pieces: readonly Buffer[]): { bytes: Buffer; octets: number } {
  const encoder = new MultilineEncoder();
  const encoded = pieces.map((piece) => encoder.encode(piece));
  const bytes = Buffer.concat([...encoded, encoder.end()]);
  return { bytes, octets: encoder.octets };
}

function count(pieces: readonly Buffer[]): number {
  const counter = new OctetCounter();
  for (const piece of pieces) counter.add(piece);
  return counter.total();
}

/** What a client should hold in the end: CRLF line ends, the last line ended, an empty line after the header. */
function naiveMessage(message: Buffer): string {
  const text = message.toString('latin1').replace(/\r?\n/g, '\r\n');
  const ended = text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`;
  return ended.startsWith('\r\n') || ended.includes('\r\n\r\n') ? ended : `${ended}\r\n`;
}

/** The same, line by line: RFC 1939 §3. */
function naiveStuffed(message: Buffer): string {
  return naiveMessage(message)
    .split('\r\n')
    .map((line) => (line.startsWith('.') ? `.${line}` : line))
    .join('\r\n');
}

/** Feeds pieces until the decoder is complete; what is left over is the rest of that piece and all later ones. */
function decode(pieces: readonly Buffer[]): { content: string; rest: string | null } {
  const decoder = new MultilineDecoder();
  const contents: Buffer[] = [];
  for (const [index, piece] of pieces.entries()) {
    const { content, isComplete, rest } = decoder.decode(piece);
    contents.push(Buffer.from(content));
    if (isComplete) {
      const left = Buffer.concat([rest, ...pieces.slice(index + 1)]).toString('latin1');
      return { content: Buffer.concat(contents).toString('latin1'), rest: left };
    }
    if (rest.length > 0) throw new Error('a rest before the end');
  }
  return { content: Buffer.concat(contents).toString('latin1'), rest: null };
}

/** By other means: the first CRLF.CRLF of the whole, counting the response line's CRLF before it. */
function naiveDecode(bytes: Buffer): { content: string; rest: string | null } {
  const text = `\r\n${bytes.toString('latin1')}`;
  const end = text.indexOf('\r\n.\r\n');
  if (end === -1) return { content: '', rest: null };
  const body = text.slice(0, end + 2).replace(/\r\n\./g, '\r\n');
  return { content: body.slice(2), rest: text.slice(end + 5) };
}

const encoded: readonly (readonly [title: string, stored: string, wire: string, octets: number])[] =
  [
    ['an empty message is the line that ends its header', '', '\r\n', 2],
    ['LF becomes CRLF', 'a: b\n\nc\n', 'a: b\r\n\r\nc\r\n', 11],
    ['CRLF stays', 'a: b\r\n\r\nc\r\n', 'a: b\r\n\r\nc\r\n', 11],
    ['a last line without its end gets one', 'a: b\n\nc', 'a: b\r\n\r\nc\r\n', 11],
    ['a message that ends in CR gets a CRLF after it', '\n\r', '\r\n\r\r\n', 5],
    ['a lone CR passes', '\na\rb\n', '\r\na\rb\r\n', 7],
    ['two CRs before an LF stay two', '\na\r\r\n', '\r\na\r\r\n', 6],
    ['a dot that is the first byte of the message is stuffed', '.\n\n', '..\r\n\r\n', 5],
    ['a line of one dot is stuffed', '\n.\n', '\r\n..\r\n', 5],
    ['a line that starts with dots gets one more', '\n...x\n', '\r\n....x\r\n', 8],
    ['a dot inside a line is left alone', '\na.b.\n', '\r\na.b.\r\n', 8],
    ['a dot after a lone CR is left alone: no line starts there', '\na\r.b\n', '\r\na\r.b\r\n', 8],
    ['a last line of one dot without its end is stuffed and ended', '\n.', '\r\n..\r\n', 5],
    ['a header without an empty line after it gets one', 'a: b\n', 'a: b\r\n\r\n', 8],
    ['a header cut in its last line gets both line ends', 'a: b', 'a: b\r\n\r\n', 8],
    ['a message of one LF is one empty line', '\n', '\r\n', 2],
    ['NUL and 8-bit bytes pass', '\n\0\x80\xff\n', '\r\n\0\x80\xff\r\n', 7],
  ];

for (const [title, stored, wire, octets] of encoded) {
  t.test(`encoding: ${title}`, (t) => {
    const message = Buffer.from(stored, 'latin1');
    for (const { name, split } of chunkings) {
      const result = encode(split(message));
      t.equal(result.bytes.toString('latin1'), wire, name);
      t.equal(result.octets, octets, `${name}: octets sent`);
      t.equal(count(split(message)), octets, `${name}: octets counted`);
    }
    t.equal(countOctets(message), octets);
    t.end();
  });
}

t.test('the encoded bytes are a copy: the caller may reuse its buffer', (t) => {
  const chunk = Buffer.from('abc');
  const bytes = new MultilineEncoder().encode(chunk);
  chunk.fill('x');
  t.equal(bytes.toString(), 'abc');
  t.end();
});

t.test('encoding: any message in any pieces is what a naive encoding line by line gives', (t) => {
  holds(
    t,
    fc.property(inPieces(messageBytes()), ({ bytes, pieces }) => {
      const result = encode(pieces);
      assert.equal(result.bytes.toString('latin1'), naiveStuffed(bytes));
      assert.equal(result.octets, naiveMessage(bytes).length);
    }),
    fixedDraws,
  );
  t.end();
});

t.test('the counter counts what the encoder sends, whatever the pieces of each', (t) => {
  holds(
    t,
    fc.property(inPieces(messageBytes()), ({ bytes, pieces }) => {
      const { octets } = encode([bytes]);
      assert.equal(count(pieces), octets);
      assert.equal(countOctets(bytes), octets);
    }),
    fixedDraws,
  );
  t.end();
});

t.test('nothing that is encoded can end the response early or be taken for its end', (t) => {
  holds(
    t,
    fc.property(messageBytes(), (message) => {
      const wire = `\r\n${encode([message]).bytes.toString('latin1')}`;
      assert.doesNotMatch(wire, /\r\n\.\r\n/);
      assert.doesNotMatch(wire, /(?<!\r)\n/);
      assert.ok(wire.endsWith('\r\n'));
    }),
    fixedDraws,
  );
  t.end();
});

t.test('decoding what was encoded gives the message with CRLF line ends back', (t) => {
  const response = messageBytes().map((message) => ({
    message,
    wire: Buffer.concat([encode([message]).bytes, terminator, Buffer.from('+OK next\r\n')]),
  }));
  const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 });
  holds(
    t,
    fc.property(response, lengths, ({ message, wire }, cuts) => {
      const pieces: Buffer[] = [];
      for (let at = 0; at < wire.length; at += pieces.at(-1)?.length ?? 0) {
        pieces.push(wire.subarray(at, at + (cuts[pieces.length % cuts.length] ?? 1)));
      }
      assert.deepEqual(decode(pieces), { content: naiveMessage(message), rest: '+OK next\r\n' });
    }),
    fixedDraws,
  );
  t.end();
});

const decoded: readonly (readonly [
  title: string,
  wire: string,
  content: string,
  rest: string | null,
])[] = [
  ['a terminator at once is an empty body', '.\r\n', '', ''],
  ['what comes after the terminator is the rest', 'a\r\n.\r\n+OK\r\n', 'a\r\n', '+OK\r\n'],
  ['a second terminator belongs to the rest', '.\r\n.\r\n', '', '.\r\n'],
  ['a stuffed dot loses one', '..\r\n...a\r\n.\r\n', '.\r\n..a\r\n', ''],
  ['a dot before text is taken off, stuffed or not', '.a\r\n.\r\n', 'a\r\n', ''],
  ['LF dot LF ends nothing', 'a\n.\nb\r\n.\r\n', 'a\n.\nb\r\n', ''],
  ['LF dot CRLF ends nothing', 'a\n.\r\nb\r\n.\r\n', 'a\n.\r\nb\r\n', ''],
  ['CRLF dot LF ends nothing', 'a\r\n.\nb\r\n.\r\n', 'a\r\n\nb\r\n', ''],
  ['CR dot CR LF ends nothing', 'a\r.\r\nb\r\n.\r\n', 'a\r.\r\nb\r\n', ''],
  ['CRLF dot CR CR LF ends nothing', 'a\r\n.\r\r\nb\r\n.\r\n', 'a\r\n\r\r\nb\r\n', ''],
  ['CRLF dot CR dot CRLF ends nothing', '\r\n.\r.\r\n.\r\n', '\r\n\r.\r\n', ''],
  ['after CR CR LF a line starts', 'a\r\r\n.\r\n', 'a\r\r\n', ''],
  ['NUL and 8-bit bytes pass', '\0\xff\r\n.\r\n', '\0\xff\r\n', ''],
];

for (const [title, wire, content, rest] of decoded) {
  t.test(`decoding: ${title}`, (t) => {
    for (const { name, split } of chunkings) {
      t.same(decode(split(Buffer.from(wire, 'latin1'))), { content, rest }, name);
    }
    t.end();
  });
}

for (const wire of ['', 'a', 'a\r\n', 'a\r\n.', 'a\r\n.\r', 'a\r\n..\r\n', 'a\n.\n']) {
  t.test(`decoding: ${JSON.stringify(wire)} is not complete`, (t) => {
    for (const { name, split } of chunkings) {
      t.equal(decode(split(Buffer.from(wire))).rest, null, name);
    }
    t.end();
  });
}

t.test('decoding: any bytes in any pieces end where the first CRLF.CRLF of the whole is', (t) => {
  holds(
    t,
    fc.property(inPieces(messageBytes(100)), ({ bytes, pieces }) => {
      const expected = naiveDecode(bytes);
      const actual = decode(pieces);
      assert.equal(actual.rest, expected.rest);
      if (expected.rest !== null) assert.equal(actual.content, expected.content);
    }),
    fixedDraws,
  );
  t.end();
});

const stored: readonly (readonly [title: string, wire: string, file: string])[] = [
  ['nothing stays nothing', '', ''],
  ['CRLF becomes LF', 'a\r\nb\r\n', 'a\nb\n'],
  ['LF stays', 'a\nb\n', 'a\nb\n'],
  ['a lone CR stays', 'a\rb', 'a\rb'],
  ['a CR at the end stays', 'a\r', 'a\r'],
  ['of two CRs before an LF one stays', 'a\r\r\n', 'a\r\n'],
];

for (const [title, wire, file] of stored) {
  t.test(`line feeds: ${title}`, (t) => {
    for (const { name, split } of chunkings) {
      t.equal(toLineFeeds(split(Buffer.from(wire))), file, name);
    }
    t.end();
  });
}

t.test('line feeds: any bytes in any pieces are what a naive replacement gives', (t) => {
  holds(
    t,
    fc.property(inPieces(messageBytes()), ({ bytes, pieces }) => {
      assert.equal(toLineFeeds(pieces), bytes.toString('latin1').replace(/\r\n/g, '\n'));
    }),
    fixedDraws,
  );
  t.end();
});

function toLineFeeds(pieces: readonly Buffer[]): string {
  const encoder = new LineFeedEncoder();
  const parts = pieces.map((piece) => Buffer.from(encoder.encode(piece)));
  return Buffer.concat([...parts, encoder.end()]).toString('latin1');
}
