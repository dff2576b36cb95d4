import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { TopCutter } from '../../../src/wire/top.js';
import { fixedDraws, inPieces, messageBytes } from '../../support/mail/arbitrary-message.js';
import { chunkings } from '../../support/sessions/chunkings.js';
import { holds } from '../../support/suite/property.js';

/** Feeds pieces until the cutter says that was all, as a session does. */
function cut(lineCount: number, pieces: readonly Buffer[]): string {
  const cutter = new TopCutter(lineCount);
  const parts: Buffer[] = [];
  for (const piece of pieces) {
    const { bytes, isComplete } = cutter.cut(piece);
    parts.push(bytes);
    if (isComplete) break;
  }
  return Buffer.concat(parts).toString('latin1');
}

function naiveTop(lineCount: number, message: Buffer): string {
  const lines = message.toString('latin1').match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const empty = lines.findIndex((line) => line === '\n' || line === '\r\n');
  return lines.slice(0, empty === -1 ? lines.length : empty + 1 + lineCount).join('');
}

const table: readonly (readonly [title: string, lines: number, message: string, top: string])[] = [
  ['no lines: the header and the empty line', 0, 'a: b\n\n1\n2\n', 'a: b\n\n'],
  ['one line of two', 1, 'a: b\n\n1\n2\n', 'a: b\n\n1\n'],
  ['as many lines as there are', 2, 'a: b\n\n1\n2\n', 'a: b\n\n1\n2\n'],
  ['more lines than there are: the whole message', 9, 'a: b\n\n1\n2', 'a: b\n\n1\n2'],
  ['empty lines of the body count', 2, 'a\n\n\n\n3\n', 'a\n\n\n\n'],
  ['CRLF line ends', 1, 'a\r\n\r\n1\r\n2\r\n', 'a\r\n\r\n1\r\n'],
  ['a message without a body', 5, 'a: b\n\n', 'a: b\n\n'],
  ['a message without an empty line is all header', 0, 'a: b\nc: d\n', 'a: b\nc: d\n'],
  ['a message that starts with an empty line', 1, '\n1\n2\n', '\n1\n'],
  ['a lone CR ends no line', 1, '\n1\r2\n3\n', '\n1\r2\n'],
  ['an empty message', 3, '', ''],
];

for (const [title, lines, message, top] of table) {
  t.test(`TOP: ${title}`, (t) => {
    for (const { name, split } of chunkings) {
      t.equal(cut(lines, split(Buffer.from(message))), top, name);
    }
    t.end();
  });
}

t.test('the cutter says so as soon as the last wanted line is there', (t) => {
  const cutter = new TopCutter(1);
  t.equal(cutter.cut(Buffer.from('a\n\n')).isComplete, false);
  t.equal(cutter.cut(Buffer.from('1\n')).isComplete, true);
  t.same(cutter.cut(Buffer.from('2\n')), { bytes: Buffer.alloc(0), isComplete: true });
  t.end();
});

t.test('the largest line count means the whole message', (t) => {
  const message = `a\n\n${'line\n'.repeat(1000)}`;
  t.equal(cut(2_147_483_647, [Buffer.from(message)]), message);
  t.end();
});

t.test('any message in any pieces is cut where a naive count of its lines ends', (t) => {
  holds(
    t,
    fc.property(inPieces(messageBytes()), fc.nat(6), ({ bytes, pieces }, lineCount) => {
      assert.equal(cut(lineCount, pieces), naiveTop(lineCount, bytes));
    }),
    fixedDraws,
  );
  t.end();
});
