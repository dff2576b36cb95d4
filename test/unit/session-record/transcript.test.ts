import t from 'tap';
import { Transcript } from '../../../src/session-record/transcript.js';

function record(...turns: readonly (readonly [from: 'C' | 'S', text: string])[]): string[] {
  const lines: string[] = [];
  const transcript = new Transcript((line) => lines.push(line));
  for (const [from, text] of turns) {
    // One octet at a time: lines do not depend on how they arrive.
    for (const octet of Buffer.from(text, 'latin1')) {
      if (from === 'C') transcript.addFromClient(Buffer.from([octet]));
      else transcript.addFromServer(Buffer.from([octet]));
    }
  }
  transcript.end();
  return lines;
}

t.test('both sides of a session are written line by line', (t) => {
  t.same(record(['S', '+OK\r\n'], ['C', 'user a@b\r\n'], ['S', '+OK\r\n'], ['C', 'RETR 1\nQUIT']), [
    'S: +OK',
    'C: user a@b',
    'S: +OK',
    'C: RETR 1',
    'C: QUIT',
  ]);
  t.end();
});

const masked: readonly (readonly [line: string, written: string])[] = [
  ['PASS hunter2', 'C: PASS (masked)'],
  ['pass  two words ', 'C: pass (masked)'],
  ['PASShunter2', 'C: (11 octets masked)'],
  ['APOP user c4c9334bac560ecc979e58001b3e22fb', 'C: APOP user (masked)'],
  ['AUTH', 'C: AUTH'],
  ['AUTH PLAIN', 'C: AUTH PLAIN'],
  ['AUTH PLAIN AHUAaHVudGVyMg==', 'C: AUTH PLAIN (masked)'],
  ['AUTH AHUAaHVudGVyMg==', 'C: AUTH (masked)'],
  ['AHUAaHVudGVyMg==', 'C: (16 octets masked)'],
  ['hunter2', 'C: (7 octets masked)'],
  ['PAS hunter2', 'C: (11 octets masked)'],
  ['USERhunter2', 'C: (11 octets masked)'],
  ['', 'C: (0 octets masked)'],
];

for (const [line, written] of masked) {
  t.test(`"${line}" is written as "${written}"`, (t) => {
    t.same(record(['C', `${line}\r\n`]), [written]);
    t.end();
  });
}

t.test('a SASL challenge is masked', (t) => {
  t.same(record(['S', '+ cj1oZWxsbw==\r\n+ \r\n+OK\r\n']), ['S: + (masked)', 'S: + ', 'S: +OK']);
  t.end();
});

t.test('nothing is written once TLS was agreed on, or from its first octet', (t) => {
  t.same(record(['C', 'STLS\r\n'], ['S', '+OK\r\n\x16\x03\n'], ['C', '\x16\x03PASS x\n']), [
    'C: STLS',
    'S: +OK',
    '(TLS from here on)',
  ]);
  t.same(record(['C', '\x16\x03\x01\nPASS x\n'], ['S', 'secret\n']), ['(TLS from here on)']);
  t.end();
});

t.test('octets that are no printable ASCII are escaped, long lines cut', (t) => {
  t.same(record(['S', 'a\x1b[2J\xe4\\\r\n']), ['S: a\\x1b[2J\\xe4\\']);
  t.same(record(['S', `${'x'.repeat(5000)}\n`]), [`S: ${'x'.repeat(1000)} (5000 octets)`]);
  t.end();
});
