// RETR and TOP: what is sent, and what happens when a message cannot be read. RFC 1939 §3, §5, §7, §11.

import t from 'tap';
import { countedOctets } from '../../src/maildrop/messages/octets.js';
import { asSent, topAsSent } from '../support/mail/as-sent.js';
import { conversation } from '../support/sessions/session-conversation.js';

const letter = 'Subject: x\n\none\ntwo\nthree\n';

t.test('RETR announces the octets and sends the message with CRLF line ends', async (t) => {
  const c = await conversation(t, { messages: [letter] });
  await c.login();
  await c.exchange('RETR 1', [
    `+OK ${asSent(Buffer.from(letter)).length} octets`,
    'Subject: x',
    '',
    'one',
    'two',
    'three',
    '.',
  ]);
});

t.test('lines that start with a dot get another, first and lone ones too', async (t) => {
  const c = await conversation(t, { messages: ['.first: x\n\n.\n..\n.x\nx.\n'] });
  await c.login();
  await c.exchange('RETR 1', ['+OK', '..first: x', '', '..', '...', '..x', 'x.', '.']);
  await c.exchange('TOP 1 1', ['+OK', '..first: x', '', '..', '.']);
});

t.test('a last line without its line end gets one, and is counted so', async (t) => {
  const c = await conversation(t, { messages: ['a: b\n\nno end'] });
  await c.login();
  await c.exchange('LIST 1', '+OK 1 16');
  await c.exchange('RETR 1', ['+OK 16 octets', 'a: b', '', 'no end', '.']);
});

t.test('a header without an empty line after it gets one, in RETR and TOP', async (t) => {
  const c = await conversation(t, { messages: ['a: b\nc: d\n'] });
  await c.login();
  await c.exchange('RETR 1', ['+OK 14 octets', 'a: b', 'c: d', '', '.']);
  await c.exchange('TOP 1 0', ['+OK', 'a: b', 'c: d', '', '.']);
  await c.exchange('LIST 1', '+OK 1 14');
});

t.test('an empty message is sent as one empty line, and counted so', async (t) => {
  const c = await conversation(t, { messages: [''] });
  await c.login();
  await c.exchange('LIST 1', '+OK 1 2');
  await c.exchange('STAT', '+OK 1 2');
  await c.exchange('RETR 1', ['+OK 2 octets', '', '.']);
  await c.exchange('TOP 1 5', ['+OK', '', '.']);
});

t.test('existing CRLF stays, a lone CR passes and starts no line', async (t) => {
  const c = await conversation(t, { messages: ['a: b\r\n\r\none\r.two\r\nthree\n'] });
  await c.login();
  t.equal(
    (await c.client.message('RETR 1')).toString('latin1'),
    'a: b\r\n\r\none\r.two\r\nthree\r\n',
  );
});

t.test('8-bit octets and NULs are sent as they are', async (t) => {
  const stored = Buffer.from('a: \xe4\n\n\0\xff\x80\xc3\x28\n', 'latin1');
  const c = await conversation(t, { messages: [stored] });
  await c.login();
  t.ok((await c.client.message('RETR 1')).equals(asSent(stored)));
});

for (const lineCount of ['0', '1', '2', '3', '4', '99999999', '2147483647']) {
  t.test(`TOP with ${lineCount} lines sends the header and so much of the body`, async (t) => {
    const c = await conversation(t, { messages: [letter] });
    await c.login();
    t.equal(
      (await c.client.message(`TOP 1 ${lineCount}`)).toString(),
      topAsSent(Buffer.from(letter), Number(lineCount)).toString(),
    );
  });
}

t.test('TOP without a count is TOP with 0, as people type it', async (t) => {
  const c = await conversation(t, { messages: [letter] });
  await c.login();
  await c.exchange('TOP 1', ['+OK', 'Subject: x', '', '.']);
});

t.test('TOP refuses a count that is not a number of 0 or more', async (t) => {
  const c = await conversation(t, { messages: [letter] });
  await c.login();
  for (const count of ['-1', '+1', 'x', '1x', '1.0', '99999999999999999999']) {
    await c.exchange(`TOP 1 ${count}`, '-ERR');
  }
});

t.test('TOP of all lines counts as no retrieval: nothing becomes seen by it', async (t) => {
  const c = await conversation(t, { messages: [letter, letter] });
  await c.login();
  await c.client.message('TOP 1 99999999');
  await c.client.message('RETR 2');
  t.strictSame(c.maildrop.retrieved, [2]);
});

t.test('a message of many chunks is sent whole, byte-stuffed across their borders', async (t) => {
  const line = `.${'x'.repeat(61)}\n`;
  const stored = Buffer.from(`Subject: large\n\n${line.repeat(20_000)}`);
  const c = await conversation(t, { messages: [stored] });
  await c.login();
  const expected = asSent(stored);
  await c.exchange('LIST 1', `+OK 1 ${expected.length}`);
  t.ok((await c.client.message('RETR 1')).equals(expected));
  t.ok((await c.client.message('TOP 1 15000')).equals(topAsSent(stored, 15_000)));
});

t.test('wrong octets from an old record are put right by the message that is sent', async (t) => {
  const c = await conversation(t, { messages: [letter] });
  await c.login();
  const [record] = c.maildrop.records;
  t.ok(record);
  if (record !== undefined) record.octets = countedOctets(7);
  const { length } = asSent(Buffer.from(letter));
  t.match(await c.client.ok('RETR 1'), `+OK ${length} octets`);
  await c.client.multiline();
  t.equal(record?.octets, countedOctets(length));
});

for (const [code, reply] of [
  ['EACCES', '-ERR [SYS/PERM]'],
  ['EIO', '-ERR [SYS/TEMP]'],
  ['EMFILE', '-ERR [SYS/TEMP]'],
] as const) {
  t.test(`a message that fails to open with ${code} costs itself only`, async (t) => {
    const c = await conversation(t, { messages: [letter, letter] });
    c.maildrop.fault(1, { opening: code });
    await c.login();
    await c.exchange('RETR 1', reply);
    await c.exchange('TOP 1 0', reply);
    await c.client.message('RETR 2');
    await c.exchange('NOOP', '+OK');
  });
}

t.test('a read error before the first octet is told', async (t) => {
  const c = await conversation(t, { messages: [letter] });
  c.maildrop.fault(1, { readableBytes: 0 });
  await c.login();
  await c.exchange('RETR 1', '-ERR [SYS/TEMP]');
  await c.exchange('NOOP', '+OK');
});

for (const command of ['RETR 1', 'TOP 1 99999999']) {
  t.test(`a read error in the middle of ${command} ends the connection unterminated`, async (t) => {
    const stored = `Subject: large\n\n${'all work and no play\n'.repeat(40_000)}`;
    const c = await conversation(t, { messages: [stored, letter] });
    c.maildrop.fault(1, { readableBytes: 600_000 });
    await c.login();
    await c.exchange('DELE 2', '+OK');
    c.send(`${command}\r\nQUIT\r\n`);
    await c.expect(command, '+OK');
    const rest = (await c.client.rest()).toString('latin1');
    t.notMatch(rest, /\r\n\.\r\n/);
    t.ok(asSent(Buffer.from(stored)).toString('latin1').startsWith(rest), 'only its own octets');
    await c.over();
    t.equal((await c.logged('logout'))['reason'], 'error');
    t.equal(c.maildrop.contents().length, 2, 'and nothing is removed');
  });
}

t.test(
  'the terminator leaves with what is before it: some clients look only at what came last',
  async (t) => {
    // As many messages as there are lines in a piece of a listing, two and a half pieces of a message, and a piece of its own.
    const pieceBytes = 256 * 1024;
    const messages = [
      letter,
      letter + 'x\n'.repeat(1.25 * pieceBytes),
      `a: b\n\n${'x'.repeat(pieceBytes)}`,
    ];
    const c = await conversation(t, {
      messages: [...messages, ...Array<string>(3997).fill(letter)],
    });
    let last: Buffer = Buffer.alloc(0);
    c.connection.on('data', (bytes: Buffer) => (last = bytes));
    await c.login();
    const commands = [
      'RETR 1',
      'RETR 2',
      'RETR 3',
      'TOP 1 9',
      'TOP 2 0',
      'TOP 2 9999999',
      'TOP 3 9',
    ];
    for (const command of [...commands, 'LIST', 'UIDL', 'CAPA']) {
      await c.exchange(command, '+OK');
      await c.client.multiline();
      t.ok(last.length > 5, command);
      t.equal(last.toString('latin1', last.length - 5), '\r\n.\r\n', command);
    }
  },
);

t.test(
  'a file that ends before its end is told before the first octet, or cuts the reply off',
  async (t) => {
    const large = `Subject: large\n\n${'all work and no play\n'.repeat(20_000)}`;
    const c = await conversation(t, { messages: [letter, large] });
    const open = c.maildrop.open.bind(c.maildrop);
    c.maildrop.open = async (record) => {
      const file = await open(record);
      return file === null ? null : { ...file, fileBytes: file.fileBytes + 1 };
    };
    await c.login();
    await c.exchange('RETR 1', '-ERR [SYS/TEMP]');
    await c.exchange('TOP 1 0', '-ERR [SYS/TEMP]');
    c.send('TOP 2 99999\r\nNOOP\r\n');
    await c.expect('TOP 2', '+OK');
    t.notMatch((await c.client.rest()).toString('latin1'), /\r\n\.\r\n/);
    await c.over();
    t.equal((await c.logged('logout'))['reason'], 'error');
  },
);
