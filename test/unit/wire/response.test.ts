import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  formatChallenge,
  formatResponse,
  parseChallenge,
  parseResponse,
} from '../../../src/wire/response.js';
import { fixedDraws } from '../../support/mail/arbitrary-message.js';
import { holds } from '../../support/suite/property.js';

t.test('a response is indicator, code and text in one line', (t) => {
  t.equal(formatResponse(true, 'ready'), '+OK ready\r\n');
  t.equal(formatResponse(false, 'no such message'), '-ERR no such message\r\n');
  t.equal(formatResponse(false, 'try later', 'SYS/TEMP'), '-ERR [SYS/TEMP] try later\r\n');
  t.equal(formatResponse(true, ''), '+OK\r\n');
  t.equal(formatResponse(false, '', 'AUTH'), '-ERR [AUTH]\r\n');
  t.end();
});

t.test('line ends in the text become spaces: echoed input cannot forge a second response', (t) => {
  t.equal(formatResponse(false, 'a\r\n+OK b\nc\rd'), '-ERR a +OK b c d\r\n');
  t.end();
});

t.test('a response of 512 octets with its CRLF passes whole, RFC 2449 §4', (t) => {
  const text = 'x'.repeat(506);
  t.equal(formatResponse(true, text), `+OK ${text}\r\n`);
  t.end();
});

t.test('a longer response is clipped to 512 octets', (t) => {
  t.equal(formatResponse(true, 'x'.repeat(507)), `+OK ${'x'.repeat(506)}\r\n`);
  t.end();
});

t.test('clipping drops a UTF-8 character whole', (t) => {
  t.equal(formatResponse(true, `${'x'.repeat(505)}é`), `+OK ${'x'.repeat(505)}\r\n`);
  t.equal(formatResponse(true, `${'x'.repeat(503)}€`), `+OK ${'x'.repeat(503)}€\r\n`);
  t.equal(formatResponse(true, `${'x'.repeat(503)}😀`), `+OK ${'x'.repeat(503)}\r\n`);
  t.end();
});

t.test('any text makes one line of at most 512 octets that is parsed as the same verdict', (t) => {
  const text = fc.string({ unit: 'binary', maxLength: 600 }).filter((text) => !/^\s*\[/.test(text));
  holds(
    t,
    fc.property(text, fc.boolean(), (text, isOk) => {
      const line = Buffer.from(formatResponse(isOk, text));
      assert.ok(line.length <= 512);
      assert.equal(line.indexOf(0x0a), line.length - 1);
      assert.equal(line.indexOf(0x0d), line.length - 2);
      const parsed = parseResponse(line.subarray(0, -2));
      assert.deepEqual({ isOk: parsed?.isOk, code: parsed?.code }, { isOk, code: null });
    }),
    fixedDraws,
  );
  t.end();
});

const responses: readonly (readonly [
  line: string,
  isOk: boolean,
  code: string | null,
  text: string,
])[] = [
  ['+OK', true, null, ''],
  ['+OK ', true, null, ''],
  ['+ok Dovecot ready.', true, null, 'Dovecot ready.'],
  ['-err no', false, null, 'no'],
  [
    '+OK POP3 <1896.697170952@dbc.mtview.ca.us>',
    true,
    null,
    'POP3 <1896.697170952@dbc.mtview.ca.us>',
  ],
  ['-ERR [AUTH] no', false, 'AUTH', 'no'],
  ['-ERR [sys/temp] no', false, 'SYS/TEMP', 'no'],
  ['-ERR [AUTH]', false, 'AUTH', ''],
  ['-ERR [AUTH]no', false, 'AUTH', 'no'],
  ['-ERR [LOGIN-DELAY 5] no', false, 'LOGIN-DELAY 5', 'no'],
  ['-ERR []', false, '', ''],
  ['-ERR [unfinished', false, null, '[unfinished'],
  ['-ERR no [AUTH]', false, null, 'no [AUTH]'],
  ['+OK a\rb\0\xff', true, null, 'a\rb\0\xff'],
];

for (const [line, isOk, code, text] of responses) {
  t.test(`${JSON.stringify(line)} is a response`, (t) => {
    t.same(parseResponse(Buffer.from(line, 'latin1')), { isOk, code, text });
    t.end();
  });
}

for (const line of [
  '',
  '+',
  '+ ',
  '+OKAY',
  '-ERROR',
  ' +OK',
  'OK',
  '* OK',
  '220 smtp',
  '+OK\t',
  '-',
  'HTTP/1.1 400',
]) {
  t.test(`${JSON.stringify(line)} is no response`, (t) => {
    t.equal(parseResponse(Buffer.from(line)), null);
    t.end();
  });
}

t.test('a challenge has its space even when nothing follows, RFC 5034 §4', (t) => {
  t.equal(formatChallenge(Buffer.alloc(0)), '+ \r\n');
  t.equal(formatChallenge(Buffer.from('r=nonce')), '+ cj1ub25jZQ==\r\n');
  t.end();
});

t.test('a challenge is told from a response', (t) => {
  t.equal(parseChallenge(Buffer.from('+ ')), '');
  t.equal(parseChallenge(Buffer.from('+')), '');
  t.equal(parseChallenge(Buffer.from('+ cj1u')), 'cj1u');
  for (const line of ['+OK', '-ERR', '', '++', ' + ']) {
    t.equal(parseChallenge(Buffer.from(line)), null, JSON.stringify(line));
  }
  t.end();
});

t.test('any challenge is read back', (t) => {
  holds(
    t,
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const line = Buffer.from(formatChallenge(Buffer.from(bytes))).subarray(0, -2);
      assert.deepEqual(Buffer.from(parseChallenge(line) ?? 'none', 'base64'), Buffer.from(bytes));
    }),
    fixedDraws,
  );
  t.end();
});
