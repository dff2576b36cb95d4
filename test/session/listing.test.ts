// STAT, LIST and UIDL. RFC 1939 §5, §7.

import t from 'tap';
import { conversation } from '../support/sessions/session-conversation.js';

const hello = 'Subject: hello\n\nbody\n'; // 24 octets as sent
const world = 'Subject: world\n\n.dot\n'; // 24 octets: byte-stuffing is not counted

t.test('an empty maildrop has no messages and empty listings', async (t) => {
  const c = await conversation(t);
  await c.login();
  await c.exchange('STAT', '+OK 0 0');
  await c.exchange('LIST', ['+OK', '.']);
  await c.exchange('UIDL', ['+OK', '.']);
  await c.exchange('LIST 1', '-ERR');
  await c.exchange('RETR 1', '-ERR');
  await c.exchange('RSET', '+OK');
  await c.quit();
});

t.test('STAT counts messages and octets as they are sent', async (t) => {
  const c = await conversation(t, { messages: [hello, world] });
  await c.login();
  await c.exchange('STAT', '+OK 2 48');
});

t.test('LIST and UIDL give a line for each message, or one message alone', async (t) => {
  const c = await conversation(t, { messages: [hello, world, ''] });
  await c.login();
  await c.exchange('LIST', ['+OK', '1 24', '2 24', '3 2', '.']);
  await c.exchange('LIST 2', '+OK 2 24');
  await c.exchange('UIDL', ['+OK', '1 id-1', '2 id-2', '3 id-3', '.']);
  await c.exchange('UIDL 3', '+OK 3 id-3');
});

t.test('a marked message is in no count and no listing, and numbers do not shift', async (t) => {
  const c = await conversation(t, { messages: [hello, world, hello] });
  await c.login();
  await c.exchange('DELE 1', '+OK');
  await c.exchange('STAT', '+OK 2 48');
  await c.exchange('LIST', ['+OK', '2 24', '3 24', '.']);
  await c.exchange('UIDL', ['+OK', '2 id-2', '3 id-3', '.']);
  for (const command of ['LIST 1', 'UIDL 1', 'RETR 1', 'TOP 1 0']) {
    await c.exchange(command, '-ERR');
  }
  await c.exchange('LIST 3', '+OK 3 24');
});

t.test('with all messages marked the listings are empty', async (t) => {
  const c = await conversation(t, { messages: [hello, world] });
  await c.login();
  await c.exchange('DELE 2', '+OK');
  await c.exchange('DELE 1', '+OK');
  await c.exchange('STAT', '+OK 0 0');
  await c.exchange('LIST', ['+OK', '.']);
  await c.exchange('UIDL', ['+OK', '.']);
});

for (const number of [
  '0',
  '00',
  '-1',
  '+1',
  '1.0',
  '1.5',
  '1e0',
  '0x1',
  '1x',
  'x1',
  '1\t',
  '\t1',
  '\xb9',
  '\xef\xbc\x91',
  '3',
  '2147483647',
  '2147483648',
  '4294967296',
  '4294967297',
  '18446744073709551617',
  '9'.repeat(300),
]) {
  t.test(`${JSON.stringify(number.slice(0, 30))} is the number of no message`, async (t) => {
    const c = await conversation(t, { messages: [hello, world] });
    await c.login();
    for (const command of ['LIST', 'UIDL', 'RETR', 'DELE', 'TOP']) {
      await c.exchange(command === 'TOP' ? `TOP ${number} 0` : `${command} ${number}`, '-ERR');
    }
    await c.exchange('STAT', '+OK 2 48');
  });
}

t.test('the refusal of a number is true of one that is too large', async (t) => {
  const c = await conversation(t, { messages: [hello] });
  await c.login();
  for (const [tag, ofMessage, ofLines] of [
    ['en', 'Message numbers are 1 to 2147483647', 'The number of lines must be 0 to 2147483647'],
    [
      'de',
      'Nachrichten haben Nummern von 1 bis 2147483647',
      'Die Zahl der Zeilen reicht von 0 bis 2147483647',
    ],
  ] as const) {
    await c.exchange(`LANG ${tag}`, '+OK');
    for (const command of ['LIST 0', 'LIST 4294967297', 'TOP 2147483648 0']) {
      t.equal(await c.client.command(command), `-ERR ${ofMessage}`);
    }
    for (const command of ['TOP 1 -1', 'TOP 1 18446744073709551617']) {
      t.equal(await c.client.command(command), `-ERR ${ofLines}`);
    }
  }
  await c.exchange('LIST 2147483647', '-ERR Es gibt keine Nachricht 2147483647');
});

t.test('leading zeros and more spaces than one are accepted', async (t) => {
  const c = await conversation(t, { messages: [hello] });
  await c.login();
  for (const command of [
    'LIST 01',
    'LIST  1',
    'LIST 1 ',
    'LIST  001  ',
    `LIST ${'0'.repeat(99)}1`,
  ]) {
    await c.exchange(command, '+OK 1 24');
  }
  await c.exchange('LIST ', ['+OK', '1 24', '.']);
});

t.test('arguments too few or too many are refused and do nothing', async (t) => {
  const c = await conversation(t, { messages: [hello, world] });
  await c.login();
  for (const command of [
    'STAT 1',
    'LIST 1 2',
    'UIDL 1 2',
    'RETR',
    'RETR 1 2',
    'DELE',
    'DELE 1 2',
    'TOP',
    'TOP 1 2 3',
    'NOOP 1',
    'RSET 1',
    'CAPA 1',
    'QUIT 1',
  ]) {
    await c.exchange(command, '-ERR');
  }
  await c.exchange('STAT', '+OK 2 48');
});

t.test('a listing of 10,000 messages is whole and in order', async (t) => {
  const count = 10_000;
  const c = await conversation(t, { messages: Array<string>(count).fill('x\n\n') });
  await c.login();
  const lines = await c.client.listing('LIST');
  t.equal(lines.length, count);
  t.ok(lines.every((line, index) => line === `${index + 1} 5`));
  const ids = await c.client.listing('UIDL');
  t.equal(new Set(ids).size, count);
});
