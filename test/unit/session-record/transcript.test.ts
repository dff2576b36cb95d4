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

const login = [
  ['S', '+OK\r\n'],
  ['C', 'user a@b\r\n'],
  ['S', '+OK\r\n'],
  ['C', 'PASS x\r\n'],
  ['S', '+OK\r\n'],
] as const;

t.test('both sides of a session are written line by line', (t) => {
  t.same(record(...login, ['C', 'RETR 1\nTOP 1 0\r\nQUIT']), [
    ...['S: +OK', 'C: user a@b', 'S: +OK', 'C: PASS (masked)', 'S: +OK'],
    ...['C: RETR 1', 'C: TOP 1 0', 'C: QUIT'],
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
  // Passwords where none belongs.
  ['NOOP hunter2', 'C: NOOP (masked)'],
  ['USER ann hunter2', 'C: USER ann (masked)'],
  ['USER  hunter2 ', 'C: USER  hunter2 '],
  ['DELE hunter2', 'C: DELE (masked)'],
  ['DELE 271828', 'C: DELE (masked)'],
  ['TOP 1 hunter2', 'C: TOP (masked)'],
  ['STAT hunter2', 'C: STAT (masked)'],
  ['QUIT hunter2', 'C: QUIT (masked)'],
  ['CAPA hunter2', 'C: CAPA (masked)'],
  ['LANG hunter2', 'C: LANG (masked)'],
  ['LANG de', 'C: LANG de'],
  ['LANG *', 'C: LANG *'],
  ['UTF8 hunter2', 'C: UTF8 (masked)'],
  ['APOP hunter2', 'C: APOP (masked)'],
  ['AUTH PLAIN hunter2 hunter3', 'C: AUTH PLAIN (masked)'],
  ['\tPASS hunter2', 'C: (13 octets masked)'],
];

for (const [line, written] of masked) {
  t.test(`"${line}" is written as "${written}"`, (t) => {
    t.same(record(['C', `${line}\r\n`]), [written]);
    t.end();
  });
}

t.test('a password behind a command is masked after a login too, and no number is', (t) => {
  const lines = ['NOOP hunter2', 'DELE hunter2', 'RETR 1 hunter2', 'DELE 1', 'LIST 2', 'UIDL 3'];
  t.same(record(...login, ['C', lines.map((line) => `${line}\r\n`).join('')]).slice(5), [
    ...['C: NOOP (masked)', 'C: DELE (masked)', 'C: RETR (masked)'],
    ...['C: DELE 1', 'C: LIST 2', 'C: UIDL 3'],
  ]);
  t.end();
});

t.test('who is logged in is known though commands were sent ahead', (t) => {
  t.same(
    record(
      ['C', 'USER a\r\nPASS b\r\nDELE 1234\r\n'],
      ['S', '+OK\r\n+OK\r\n'],
      ['C', 'DELE 1234\r\n'],
      ['S', '-ERR no\r\n-ERR no\r\n'],
      ['C', 'AUTH LOGIN\r\nYQ==\r\nMTIzNA==\r\nRETR 12\r\n'],
      ['S', '-ERR no\r\n+ \r\n+ \r\n+OK in\r\n'],
      ['C', 'RETR 12\r\n'],
    ).filter((line) => /DELE|RETR/.test(line)),
    ['C: DELE (masked)', 'C: DELE (masked)', 'C: RETR (masked)', 'C: RETR 12'],
  );
  t.end();
});

t.test('a response that looks like a command is masked', (t) => {
  t.same(
    record(['S', '+OK\r\n'], ['C', 'AUTH LOGIN\r\n'], ['S', '+ \r\n'], ['C', 'USER ann\r\n']),
    [...['S: +OK', 'C: AUTH LOGIN', 'S: + ', 'C: (8 octets masked)']],
  );
  t.end();
});

t.test('a reply that repeats what was masked is masked there', (t) => {
  t.same(
    record(
      ['C', 'NOOP hunter2\r\n'],
      ['S', '-ERR NOOP takes no arguments, not "hunter2"\r\n'],
      ['C', 'open sesame\r\n'],
      ['S', '-ERR unknown command open\r\n'],
    ).filter((line) => line.startsWith('S')),
    ['S: -ERR NOOP takes no arguments, not "(masked)"', 'S: -ERR unknown command (masked)'],
  );
  t.end();
});

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
