// Lines that are no commands, or commands in odd shapes: one reply each, and never a prefix executed. RFC 1939 §3, RFC 2449 §4.

import t from 'tap';
import { conversation } from '../support/sessions/session-conversation.js';

for (const [what, line] of [
  ['an empty line', ''],
  ['a space', ' '],
  ['many spaces', '     '],
  ['a colon', ':'],
  ['a colon in the keyword', 'A:B'],
  ['a leading space', ' NOOP'],
  ['a NUL after the keyword', 'NOOP\0'],
  ['a NUL in the keyword', 'NO\0OP'],
  ['a NUL in the argument', 'DELE 1\0'],
  ['a NUL and words after it', 'NOOP\0 x'],
  ['octets over 127', '\xff\xfe\x80'],
  ['octets over 127 after a keyword', 'NOOP\xa0'],
  ['a tab for the space', 'DELE\t1'],
  ['a CR in the middle', 'NOOP\rDELE 1'],
  ['control characters', '\x01\x02\x1b[2J'],
  ['a dot', '.'],
  ['an unknown keyword', 'XYZZY 1'],
  ['the start of a keyword', 'DEL 1'],
  ['a keyword and more', 'DELETE 1'],
  ['a name of JavaScript objects', '__proto__'],
  ['another name of JavaScript objects', 'constructor 1'],
  ['HTTP', 'GET / HTTP/1.1'],
  ['SMTP', 'EHLO example.org'],
  ['the start of a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
] as const) {
  t.test(`${what} gets one -ERR and changes nothing`, async (t) => {
    const c = await conversation(t, { messages: ['x\n'] });
    await c.exchange(line, '-ERR');
    await c.login();
    await c.exchange(line, '-ERR');
    await c.exchange('STAT', '+OK 1 5');
    await c.quit();
  });
}

t.test('keywords count in any mixture of case', async (t) => {
  const c = await conversation(t, { messages: ['x\n'] });
  await c.login();
  for (const command of ['stat', 'Stat', 'sTaT', 'STAT']) await c.exchange(command, '+OK 1 5');
});

t.test('a bare LF ends a line, as people and scripts type it', async (t) => {
  const c = await conversation(t, { messages: ['x\n'] });
  c.send('USER ann@example.org\nPASS open sesame\nSTAT\nNOOP\r\n');
  for (const reply of ['+OK', '+OK', '+OK 1 5', '+OK']) await c.expect('a line', reply);
});

t.test('lines of 255 octets and more are read as any other', async (t) => {
  const c = await conversation(t);
  await c.login();
  for (const octets of [253, 255, 512, 1024]) {
    await c.exchange(`LIST ${'0'.repeat(octets - 5)}`, '-ERR');
    await c.exchange(`NOOP${' '.repeat(octets - 4)}`, '+OK');
  }
});

for (const octets of [1025, 2048, 12_289, 65_000]) {
  t.test(`a line of ${octets} octets gets one -ERR, and the next line is read`, async (t) => {
    const c = await conversation(t);
    await c.login();
    c.send(`NOOP ${' '.repeat(octets - 5)}\r\nSTAT\r\n`);
    await c.expect('the long line', '-ERR');
    await c.expect('STAT', '+OK 0 0');
  });
}

t.test('a line without an end gets one -ERR, and the session ends', async (t) => {
  const c = await conversation(t, { messages: ['x\n'] });
  await c.login();
  await c.exchange('DELE 1', '+OK');
  for (let sent = 0; sent < 20; sent += 1) c.send('x'.repeat(5000));
  await c.expect('the endless line', '-ERR');
  await c.expectClosed('the reply to an endless line');
  t.equal((await c.logged('logout'))['reason'], 'error');
  t.equal(c.maildrop.contents().length, 1);
});

t.test('a half line at the end of input is no command', async (t) => {
  const c = await conversation(t, { messages: ['x\n'] });
  await c.login();
  await c.exchange('DELE 1', '+OK');
  c.send('QUIT');
  c.connection.end();
  await c.expectClosed('a half QUIT');
  t.equal((await c.logged('logout'))['reason'], 'disconnect');
  t.equal(c.maildrop.contents().length, 1);
});
