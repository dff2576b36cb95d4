import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { HeaderEnd } from '../../../src/wire/header-end.js';
import { fixedDraws, inPieces, messageBytes } from '../../support/mail/arbitrary-message.js';
import { chunkings } from '../../support/sessions/chunkings.js';
import { holds } from '../../support/suite/property.js';

/** The same offset by other means: the lengths of the lines up to the first empty one. */
function naiveEnd(message: Buffer): number {
  const lines = message.toString('latin1').match(/[^\n]*\n/g) ?? [];
  const empty = lines.findIndex((line) => line === '\n' || line === '\r\n');
  return empty === -1 ? -1 : lines.slice(0, empty + 1).join('').length;
}

/** The offset in the whole message, counted over the pieces. */
function endOverPieces(pieces: readonly Buffer[]): number {
  const headerEnd = new HeaderEnd();
  let before = 0;
  let found = -1;
  for (const piece of pieces) {
    const at = headerEnd.look(piece);
    if (at !== -1) {
      if (found !== -1) throw new Error('found twice');
      found = before + at;
    }
    if (headerEnd.isFound !== (found !== -1)) throw new Error('isFound says otherwise');
    before += piece.length;
  }
  return found;
}

const table: readonly (readonly [title: string, message: string, end: number])[] = [
  ['an empty message has no end of header', '', -1],
  ['a header with CRLF ends after the CRLF of the empty line', 'a: b\r\n\r\nbody', 8],
  ['a header with LF ends after the LF of the empty line', 'a: b\n\nbody', 6],
  ['line ends may be mixed: LF, then CRLF', 'a: b\n\r\nbody', 7],
  ['line ends may be mixed: CRLF, then LF', 'a: b\r\n\nbody', 7],
  ['a message that starts with an empty line has an empty header', '\r\nbody', 2],
  ['a message that is one LF has an empty header', '\n', 1],
  ['a header without an empty line has no end', 'a: b\r\nc: d\r\n', -1],
  ['a header cut inside its last line end has no end', 'a: b\r\n\r', -1],
  ['two CRs before the LF are no empty line', 'a: b\r\n\r\r\nc', -1],
  ['lone CRs end no line', 'a: b\r\rbody', -1],
  ['a line of one space is not empty', 'a: b\n \nc', -1],
  ['a line of one NUL is not empty', 'a: b\n\0\nc', -1],
  ['only the first empty line counts', 'a\n\nb\n\nc', 3],
];

for (const [title, message, end] of table) {
  t.test(title, (t) => {
    for (const { name, split } of chunkings) {
      t.equal(endOverPieces(split(Buffer.from(message, 'latin1'))), end, name);
    }
    t.end();
  });
}

t.test('once found, later pieces hold no end, though an empty line is in them', (t) => {
  const headerEnd = new HeaderEnd();
  t.equal(headerEnd.look(Buffer.from('a\n\nb')), 3);
  t.equal(headerEnd.look(Buffer.from('\n\n')), -1);
  t.ok(headerEnd.isFound);
  t.end();
});

t.test('any message in any pieces has the end that a naive reading of the whole finds', (t) => {
  holds(
    t,
    fc.property(inPieces(messageBytes()), ({ bytes, pieces }) => {
      assert.equal(endOverPieces(pieces), naiveEnd(bytes));
    }),
    fixedDraws,
  );
  t.end();
});
