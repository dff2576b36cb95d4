// Many commands at once, and one command in many pieces: the same replies in the same order. RFC 2449 §6.6.

import t, { type Test } from 'tap';
import { chunkings, splitInto } from '../support/sessions/chunkings.js';
import {
  conversation,
  type ConversationOptions,
} from '../support/sessions/session-conversation.js';
import { unlimited } from '../../src/auth/accounts/grant.js';

const messages = [
  'Subject: one\n\n.\n..\nx\n',
  '',
  'no header end',
  `Subject: large\n\n${'.line\r\n'.repeat(60_000)}`,
];
const script = [
  'CAPA',
  'STAT',
  'USER nobody@example.org',
  'PASS wrong',
  'USER ann@example.org',
  'PASS open sesame',
  'STAT',
  'LIST',
  'UIDL',
  'RETR 1',
  'RETR 4',
  'TOP 4 2',
  'DELE 2',
  'LIST 2',
  '',
  'NONSENSE',
  'x'.repeat(3000),
  'RSET',
  'DELE 3',
  'NOOP',
  'QUIT',
  'STAT',
];

async function repliesTo(
  t: Test,
  pieces: Iterable<Buffer>,
  options: ConversationOptions = {},
): Promise<Buffer> {
  const c = await conversation(t, { messages, ...options });
  for (const piece of pieces) {
    if (!c.connection.write(piece)) {
      await new Promise((resolve) => c.connection.once('drain', resolve));
    }
  }
  const replies = await c.client.rest();
  c.connection.end();
  await c.over();
  t.strictSame(c.maildrop.contents().length, messages.length - 1, 'one message was removed');
  return replies;
}

t.test('pieces make no difference to the replies', async (t) => {
  const bytes = Buffer.from(`${script.join('\r\n')}\r\n`);
  const whole = await repliesTo(t, [bytes]);
  for (const { name, split } of chunkings) {
    t.ok((await repliesTo(t, split(bytes))).equals(whole), name);
  }
  t.ok(
    (await repliesTo(t, splitInto(bytes, [1, 1021]), { highWaterMark: 64 })).equals(whole),
    'to a slow reader',
  );
  const bare = Buffer.from(`${script.join('\n')}\n`);
  t.ok((await repliesTo(t, [bare])).equals(whole), 'with bare LF line ends');
});

t.test('replies come in the order of the commands', async (t) => {
  const c = await conversation(t, { messages: ['a\n', 'b\n', 'c\n'] });
  c.send(
    'USER ann@example.org\r\nPASS open sesame\r\nLIST 3\r\nLIST 1\r\nNOOP\r\nLIST 2\r\nUIDL 3\r\n',
  );
  for (const reply of ['+OK', '+OK', '+OK 3 5', '+OK 1 5', '+OK', '+OK 2 5', '+OK 3 id-3']) {
    await c.expect('a pipelined command', reply);
  }
});

t.test('commands that follow PASS at once wait for the slow verdict on it', async (t) => {
  let decide: () => void = () => undefined;
  const decided = new Promise<void>((resolve) => (decide = resolve));
  const c = await conversation(t, {
    messages: ['a\n'],
    verdict: async () => {
      await decided;
      return {
        verdict: 'accepted',
        identity: { user: 'ann', domain: 'example.org' },
        grant: unlimited,
      };
    },
  });
  await c.exchange('USER ann@example.org', '+OK');
  c.send('PASS x\r\nSTAT\r\nDELE 1\r\nSTAT\r\n');
  decide();
  for (const reply of ['+OK', '+OK 1 5', '+OK', '+OK 0 0']) await c.expect('after PASS', reply);
});

t.test('after a failed PASS the commands behind it are refused, not executed', async (t) => {
  const c = await conversation(t, { messages: ['a\n'] });
  c.send('USER ann@example.org\r\nPASS wrong\r\nDELE 1\r\nQUIT\r\n');
  for (const reply of ['+OK', '-ERR [AUTH]', '-ERR', '+OK']) await c.expect('a command', reply);
  await c.expectClosed('QUIT');
  t.equal(c.maildrop.contents().length, 1);
});

t.test('what follows QUIT is not answered, however much it is', async (t) => {
  const c = await conversation(t, { messages: ['a\n', 'b\n'] });
  await c.login();
  c.send(`DELE 1\r\nQUIT\r\nRSET\r\nNOOP\r\n${'DELE 2\r\n'.repeat(10_000)}`);
  await c.expect('DELE 1', '+OK');
  await c.expect('QUIT', '+OK');
  await c.expectClosed('QUIT');
  t.strictSame(c.maildrop.contents(), ['b\n']);
});

t.test('10,000 pipelined commands are answered, in order', async (t) => {
  const c = await conversation(t, { messages: ['a\n'] });
  await c.login();
  c.send('NOOP\r\nLIST 1\r\n'.repeat(5000));
  for (let count = 0; count < 5000; count += 1) {
    const [noop, list] = [await c.client.status(), await c.client.status()];
    if (!noop.startsWith('+OK') || list !== '+OK 1 5') t.fail(`after ${count}: ${noop} ${list}`);
  }
  await c.quit();
});

t.test('a peer that pipelines and does not read holds one message in flight', async (t) => {
  const large = `Subject: large\n\n${'x'.repeat(100)}\n`.repeat(10_000);
  const c = await conversation(t, { messages: [large], highWaterMark: 1024 });
  await c.login();
  c.connection.pause();
  c.send('RETR 1\r\n'.repeat(1000));
  // The session writes until the connection is full, and then takes nothing more in.
  const turns = async (count: number): Promise<void> => {
    for (let turn = 0; turn < count; turn += 1)
      await new Promise((resolve) => setImmediate(resolve));
  };
  await turns(200);
  t.equal(c.maildrop.retrieved.length, 0, 'not even the first is out');
  await c.reset();
  t.equal(c.maildrop.retrieved.length, 0);
  t.equal((await c.logged('logout'))['reason'], 'disconnect');
});
