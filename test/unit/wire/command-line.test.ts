import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { formatCommandLine, parseCommandLine, splitWords } from '../../../src/wire/command-line.js';
import { fixedDraws } from '../../support/mail/arbitrary-message.js';
import { holds } from '../../support/suite/property.js';

const commands: readonly (readonly [line: string, keyword: string, argument: string | null])[] = [
  ['QUIT', 'QUIT', null],
  ['quit', 'QUIT', null],
  ['RetR 1', 'RETR', '1'],
  ['RETR ', 'RETR', ''],
  ['TOP 1 5', 'TOP', '1 5'],
  ['PASS  two spaces each side  ', 'PASS', ' two spaces each side  '],
  ['PASS \xff\x01\ttab', 'PASS', '\xff\x01\ttab'],
  ['PASS a\rb', 'PASS', 'a\rb'],
  ['X-TEST2 a', 'X-TEST2', 'a'],
  [`${'A'.repeat(40)} b`, 'A'.repeat(40), 'b'],
];

for (const [line, keyword, argument] of commands) {
  t.test(`${JSON.stringify(line)} is the command ${keyword}`, (t) => {
    t.same(parseCommandLine(Buffer.from(line, 'latin1')), { keyword, argument });
    t.end();
  });
}

const others: readonly (readonly [title: string, line: string])[] = [
  ['an empty line', ''],
  ['a space', ' '],
  ['a leading space', ' QUIT'],
  ['a colon', ':'],
  ['a colon in the keyword', 'QUIT:'],
  ['a NUL after the keyword', 'QUIT\0'],
  ['a NUL in the argument', 'DELE 1\x002'],
  ['a NUL alone', '\0'],
  ['a tab after the keyword', 'RETR\t1'],
  ['a lone CR after the keyword', 'QUIT\r'],
  ['a keyword of digits', '123'],
  ['a keyword with 8-bit letters', 'QU\xcfT'],
  ['a keyword with a letter whose upper case is ASCII', 'l\u0131st'],
  ['a keyword of 41 letters', 'A'.repeat(41)],
  ['an HTTP request', 'GET/'],
  ['a TLS hello', '\x16\x03\x01\x02'],
];

for (const [title, line] of others) {
  t.test(`${title} is no command line`, (t) => {
    t.equal(parseCommandLine(Buffer.from(line)), null);
    t.end();
  });
}

t.test('any bytes are a command line or none, and the argument keeps its bytes', (t) => {
  holds(
    t,
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const after = Buffer.from(bytes);
      const parsed = parseCommandLine(Buffer.concat([Buffer.from('PASS '), after]));
      assert.deepEqual(
        parsed === null ? null : Buffer.from(parsed.argument ?? '', 'latin1'),
        after.includes(0) ? null : after,
      );
      const any = parseCommandLine(after);
      if (any !== null) assert.match(any.keyword, /^[A-Z][A-Z0-9-]*$/);
    }),
    fixedDraws,
  );
  t.end();
});

t.test('a command line is formatted with single spaces and CRLF', (t) => {
  t.equal(formatCommandLine('QUIT'), 'QUIT\r\n');
  t.equal(formatCommandLine('TOP', 1, 5), 'TOP 1 5\r\n');
  t.equal(formatCommandLine('PASS', ' a b '), 'PASS  a b \r\n');
  t.end();
});

for (const argument of ['a\nDELE 1', 'a\rb', 'a\0b', '\r\n']) {
  t.test(`formatting refuses the argument ${JSON.stringify(argument)}`, (t) => {
    t.throws(() => formatCommandLine('PASS', argument), RangeError);
    t.end();
  });
}

t.test('the error of formatting names the command and does not tell the password', (t) => {
  t.throws(() => formatCommandLine('PASS', 'hunter2\n'), {
    message: 'PASS: an argument holds a line end or NUL',
  });
  t.end();
});

t.test('a formatted command line is parsed to the same command', (t) => {
  const text = fc.string({ maxLength: 30 }).filter((text) => !/[\r\n\0]/.test(text));
  holds(
    t,
    fc.property(text, (argument) => {
      const line = formatCommandLine('pass', argument).slice(0, -2);
      assert.deepEqual(parseCommandLine(Buffer.from(line, 'latin1')), {
        keyword: 'PASS',
        argument,
      });
    }),
    fixedDraws,
  );
  t.end();
});

t.test('words are what runs of spaces separate', (t) => {
  t.same(splitWords(null), []);
  t.same(splitWords(''), []);
  t.same(splitWords('  '), []);
  t.same(splitWords('1'), ['1']);
  t.same(splitWords(' 1  5 '), ['1', '5']);
  t.same(splitWords('1\t5'), ['1\t5']);
  t.end();
});
