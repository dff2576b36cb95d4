import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { LineReader } from '../../../src/wire/line-reader.js';
import { maxDiscardedOctets } from '../../../src/wire/limits.js';
import { fixedDraws, inPieces, messageBytes } from '../../support/mail/arbitrary-message.js';
import { chunkings, splitInto } from '../../support/sessions/chunkings.js';
import { holds } from '../../support/suite/property.js';

/** Events as text: a line as latin1 after `line `, others by their kind; stops at `endless` as a session does. */
function readAll(maxOctets: number, pieces: readonly Buffer[]): string[] {
  const reader = new LineReader(maxOctets);
  const events: string[] = [];
  for (const piece of pieces) {
    reader.push(piece);
    for (let event = reader.next(); event !== null; event = reader.next()) {
      events.push(event.kind === 'line' ? `line ${event.bytes.toString('latin1')}` : event.kind);
      if (event.kind === 'endless') return events;
    }
  }
  return events;
}

function naiveEvents(maxOctets: number, bytes: Buffer): string[] {
  return bytes
    .toString('latin1')
    .split('\n')
    .slice(0, -1)
    .map((line) => line.replace(/\r$/, ''))
    .map((line) => (line.length > maxOctets ? 'too-long' : `line ${line}`));
}

const table: readonly (readonly [title: string, input: string, events: readonly string[]])[] = [
  ['CRLF ends a line', 'NOOP\r\n', ['line NOOP']],
  ['a bare LF ends a line', 'NOOP\n', ['line NOOP']],
  ['an empty line is a line', '\r\n\n', ['line ', 'line ']],
  ['many lines may come at once', 'A\r\nB\r\nC\n', ['line A', 'line B', 'line C']],
  ['a line without its end is no line', 'QUIT', []],
  ['a CR without its LF ends no line', 'QUIT\r', []],
  ['only one CR belongs to the line end', 'A\r\r\n', ['line A\r']],
  ['a lone CR and a NUL are parts of the line', 'A\rB\0C\r\n', ['line A\rB\0C']],
  ['a line of exactly the limit passes', '12345678\r\n', ['line 12345678']],
  ['a line of one octet more is too long', '123456789\r\n', ['too-long']],
  [
    'with LF, too, the limit counts no line end',
    '12345678\n123456789\n',
    ['line 12345678', 'too-long'],
  ],
  ['a CR that is no part of the line end counts', '12345678\r\r\n', ['too-long']],
  [
    'an over-long line is one event, and the next line is read',
    `${'x'.repeat(500)}\r\nA\r\n`,
    ['too-long', 'line A'],
  ],
  [
    'over-long lines that follow each other are an event each',
    `${'x'.repeat(30)}\n${'y'.repeat(30)}\n`,
    ['too-long', 'too-long'],
  ],
];

for (const [title, input, events] of table) {
  t.test(title, (t) => {
    for (const { name, split } of chunkings) {
      t.same(readAll(8, split(Buffer.from(input, 'latin1'))), events, name);
    }
    t.end();
  });
}

t.test('a line that is longer than what we discard is endless, however it arrives', (t) => {
  const line = Buffer.from(`${'x'.repeat(maxDiscardedOctets + 1)}\r\nQUIT\r\n`);
  for (const lengths of [[line.length], [1000], [65_536], [65_537], [1, 65_536]]) {
    t.same(readAll(8, splitInto(line, lengths)), ['endless'], `pieces of ${lengths.join(', ')}`);
  }
  t.end();
});

t.test('a line of exactly what we discard is too long and no more, however it arrives', (t) => {
  const line = Buffer.from(`${'x'.repeat(maxDiscardedOctets)}\nQUIT\r\n`);
  for (const lengths of [[line.length], [1000], [65_536], [65_537]]) {
    t.same(
      readAll(8, splitInto(line, lengths)),
      ['too-long', 'line QUIT'],
      `pieces of ${lengths.join(', ')}`,
    );
  }
  t.end();
});

t.test('after an endless line nothing is a line any more', (t) => {
  const reader = new LineReader(8);
  reader.push(Buffer.alloc(maxDiscardedOctets + 1, 'x'));
  t.same(reader.next(), { kind: 'endless' });
  reader.push(Buffer.from('\r\nQUIT\r\n'));
  t.same(reader.next(), { kind: 'endless' });
  t.equal(reader.waitingOctets, 0, 'and nothing of it is held');
  t.end();
});

t.test('an over-long line is not held while it comes', (t) => {
  const reader = new LineReader(8);
  for (let count = 0; count < 60; count += 1) {
    reader.push(Buffer.alloc(1000, 'x'));
    t.equal(reader.next(), null);
    t.equal(reader.waitingOctets, 0);
  }
  t.end();
});

t.test('waitingOctets counts what was pushed and not taken', (t) => {
  const reader = new LineReader(8);
  reader.push(Buffer.from('A\r\nBC\r\nD'));
  t.equal(reader.waitingOctets, 8);
  reader.next();
  t.equal(reader.waitingOctets, 5);
  reader.next();
  t.equal(reader.waitingOctets, 1);
  t.end();
});

t.test('takeRest gives what is waiting, once, and the next line starts anew', (t) => {
  const reader = new LineReader(8);
  reader.push(Buffer.from('STLS\r\nUSER mal'));
  reader.next();
  t.equal(reader.takeRest().toString(), 'USER mal');
  t.equal(reader.takeRest().length, 0);
  reader.push(Buffer.from('CAPA\r\n'));
  t.same(reader.next(), { kind: 'line', bytes: Buffer.from('CAPA') });
  t.end();
});

t.test('takeRest inside an over-long line forgets that line', (t) => {
  const reader = new LineReader(8);
  reader.push(Buffer.alloc(100, 'x'));
  reader.next();
  reader.takeRest();
  reader.push(Buffer.from('CAPA\r\n'));
  t.same(reader.next(), { kind: 'line', bytes: Buffer.from('CAPA') });
  t.end();
});

t.test('any bytes in any pieces are the lines that a naive split of the whole gives', (t) => {
  holds(
    t,
    fc.property(inPieces(messageBytes(120)), fc.nat(12), ({ bytes, pieces }, maxOctets) => {
      assert.deepEqual(readAll(maxOctets, pieces), naiveEvents(maxOctets, bytes));
    }),
    fixedDraws,
  );
  t.end();
});
