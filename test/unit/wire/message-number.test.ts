import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  indexOf,
  messageNumberAt,
  parseLineCount,
  parseMessageNumber,
} from '../../../src/wire/message-number.js';
import { fixedDraws } from '../../support/mail/arbitrary-message.js';
import { holds } from '../../support/suite/property.js';

const decimals: readonly (readonly [text: string, number: number])[] = [
  ['1', 1],
  ['01', 1],
  ['0000000001', 1],
  [`${'0'.repeat(300)}1`, 1],
  ['10', 10],
  ['2147483647', 2_147_483_647],
];

const others: readonly string[] = [
  ...[
    '',
    ' ',
    '-1',
    '+1',
    '1.5',
    '1.',
    '1e2',
    '0x1',
    '1x',
    'x',
    ' 1',
    '1 ',
    '1\n',
    '1\0',
    '\u0663',
    '\uff11',
  ],
  ...['2147483648', '4294967296', '4294967297', '18446744073709551617', '02147483648'],
];

for (const [text, number] of decimals) {
  t.test(`${text} is the message number and the line count ${number}`, (t) => {
    t.equal(parseMessageNumber(text), number);
    t.equal(parseLineCount(text), number);
    t.end();
  });
}

for (const text of others) {
  t.test(`${JSON.stringify(text)} is no message number and no line count`, (t) => {
    t.equal(parseMessageNumber(text), null);
    t.equal(parseLineCount(text), null);
    t.end();
  });
}

t.test('0 is a line count and no message number: numbers start at 1, RFC 1939 §5', (t) => {
  for (const text of ['0', '00']) {
    t.equal(parseMessageNumber(text), null);
    t.equal(parseLineCount(text), 0);
  }
  t.end();
});

t.test('numbers start at 1 and indexes at 0', (t) => {
  t.equal(messageNumberAt(0), 1);
  t.equal(indexOf(messageNumberAt(41)), 41);
  t.end();
});

t.test('of any text only decimals in range are numbers, with the value BigInt gives', (t) => {
  const digits = fc.array(fc.nat(9), { minLength: 1, maxLength: 12 });
  const text = fc.oneof(
    digits.map((each) => each.join('')),
    fc.string({ maxLength: 5 }),
  );
  holds(
    t,
    fc.property(text, (text) => {
      const isDecimal = /^\d+$/.test(text) && BigInt(text) <= 2_147_483_647n;
      assert.equal(parseLineCount(text), isDecimal ? Number(BigInt(text)) : null);
    }),
    fixedDraws,
  );
  t.end();
});
