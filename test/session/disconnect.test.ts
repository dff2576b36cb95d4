// The peer goes, at every point and in every way: without a whole QUIT nothing is deleted. RFC 1939 §6.

import t from 'tap';
import { conversation, type Conversation } from '../support/sessions/session-conversation.js';
import { unlimited } from '../../src/auth/accounts/grant.js';

const messages = ['Subject: one\n\n1\n', `Subject: two\n\n${'.\n'.repeat(300_000)}`];
const script = [
  'CAPA',
  'USER ann@example.org',
  'PASS open sesame',
  'STAT',
  'LIST',
  'UIDL',
  'TOP 2 5',
  'DELE 1',
  'RETR 2',
  'RSET',
  'DELE 2',
  'DELE 1',
];

const ways = {
  'closes its side': (c: Conversation) => c.hangUp(),
  'resets the connection': (c: Conversation) => c.reset(),
};

for (const [way, leave] of Object.entries(ways)) {
  for (let length = 0; length <= script.length; length += 1) {
    const last = script[length - 1] ?? 'the greeting';
    t.test(`a peer that ${way} after ${last} (${length}) deletes nothing`, async (t) => {
      const c = await conversation(t, { messages });
      for (const command of script.slice(0, length)) {
        const isMultiline = /^(?:CAPA|LIST|UIDL|TOP|RETR)/.test(command);
        await c.exchange(command, '+OK');
        if (isMultiline) await c.client.multiline();
      }
      await leave(c);
      t.equal(c.maildrop.contents().length, messages.length);
      t.equal((await c.logged('logout'))['reason'], 'disconnect');
      t.equal(c.maildrop.updateCount, 0);
      const errors = c.log.filter(({ event }) => event === 'error');
      t.strictSame(errors, [], 'and it is no error');
    });
  }
}

t.test('a stream cut after any octet deletes nothing until QUIT is whole', async (t) => {
  const bytes = Buffer.from(
    'USER ann@example.org\r\nPASS open sesame\r\nDELE 1\r\nNOOP\r\nQUIT\r\n',
  );
  for (let length = 0; length <= bytes.length; length += 1) {
    const c = await conversation(t, { messages: ['x\n', 'y\n'] });
    c.connection.end(bytes.subarray(0, length));
    c.connection.resume();
    await c.over();
    // A bare LF ends a line, so the CR of the last CRLF is not missed, but its LF is.
    const isQuitWhole = length === bytes.length;
    t.equal(c.maildrop.contents().length, isQuitWhole ? 1 : 2, `after ${length} octets`);
    t.equal((await c.logged('logout'))['reason'], isQuitWhole ? 'quit' : 'disconnect');
  }
});

t.test('a peer that closes right after QUIT gets its deletions', async (t) => {
  for (const leave of ['end', 'destroy'] as const) {
    const c = await conversation(t, { messages: ['x\n', 'y\n'] });
    await c.login();
    c.send('DELE 1\r\nQUIT\r\n');
    c.connection[leave]();
    c.connection.resume();
    await c.over();
    t.strictSame(c.maildrop.contents(), ['y\n'], leave);
    t.match(await c.logged('logout'), { reason: 'quit', dele: 1 });
  }
});

t.test('a peer that sends all commands and shuts down its side reads all replies', async (t) => {
  const c = await conversation(t, { messages });
  c.send(`${script.join('\r\n')}\r\nQUIT\r\n`);
  c.connection.end();
  const text = (await c.client.rest()).toString('latin1');
  t.match(text, /\r\n\+OK Logging out.*\r\n$/);
  await c.over();
  t.equal(c.maildrop.contents().length, 0);
});

t.test('a peer that goes in the middle of a large message is a disconnect', async (t) => {
  const c = await conversation(t, { messages, highWaterMark: 4096 });
  await c.login();
  await c.exchange('DELE 1', '+OK');
  c.stallAfterNextOctets();
  c.send('RETR 2\r\nQUIT\r\n');
  await c.expect('RETR 2', '+OK');
  await c.reset();
  t.match(await c.logged('logout'), { reason: 'disconnect', retr: '0/0' });
  t.equal(c.maildrop.contents().length, 2);
});

t.test('a peer that goes in the middle of a listing is a disconnect', async (t) => {
  const c = await conversation(t, {
    messages: Array<string>(20_000).fill('x\n'),
    highWaterMark: 1024,
  });
  await c.login();
  c.stallAfterNextOctets();
  c.send('UIDL\r\nDELE 1\r\nQUIT\r\n');
  await c.expect('UIDL', '+OK');
  await c.reset();
  t.equal((await c.logged('logout'))['reason'], 'disconnect');
  t.equal(c.maildrop.contents().length, 20_000);
});

t.test('a peer that goes while its password is verified is a disconnect', async (t) => {
  const c = await conversation(t, {
    messages: ['x\n'],
    verdict: async () => {
      await c.connectionClosed;
      return {
        verdict: 'accepted',
        identity: { user: 'ann', domain: 'example.org' },
        grant: unlimited,
      };
    },
  });
  await c.exchange('USER ann@example.org', '+OK');
  c.send('PASS x\r\n');
  await c.reset();
  t.equal((await c.logged('logout'))['reason'], 'disconnect');
  t.equal(c.maildrop.closeCount, 1, 'the maildrop that was opened is released');
});
