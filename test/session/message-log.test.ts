// --log-messages: what the log says became of each message that a session touched.

import t, { type Test } from 'tap';
import {
  address,
  conversation,
  type Conversation,
} from '../support/sessions/session-conversation.js';

const hello = 'Subject: hello\n\nhello\n';
const world = 'Subject: world\n\nworld\nand more\n';

async function start(
  t: Test,
  messages: readonly (Buffer | string)[] = [hello, world],
): Promise<Conversation> {
  const c = await conversation(t, { messages, logsMessages: true });
  await c.login();
  return c;
}

/** What the log says of messages, by number; only fields that are not the same in all tests. */
function told({ log }: Conversation): Record<string, unknown> {
  return Object.fromEntries(
    log
      .filter(({ event }) => event === 'message')
      .map(({ fields: { number, retr, top, dele, why } }) => [
        String(number),
        [retr, top, dele, ...(why === undefined ? [] : [why])].join(' '),
      ]),
  );
}

t.test('a line has session, user, number, unique-id, file and octets, before logout', async (t) => {
  const c = await start(t);
  await c.exchange('RETR 1', ['+OK', 'Subject: hello', '', 'hello', '.']);
  await c.exchange('DELE 1', '+OK');
  await c.quit();
  const [message, logout] = c.log.slice(-2);
  t.strictSame(message, {
    event: 'message',
    fields: {
      session: 'test',
      user: address,
      number: 1,
      uid: 'id-1',
      file: 'file-of-id-1',
      octets: 25,
      retr: 'whole',
      top: 'no',
      dele: 'removed',
    },
  });
  t.equal(logout?.event, 'logout');
});

t.test('messages that the client did not touch have no line', async (t) => {
  const c = await start(t);
  await c.exchange('LIST', ['+OK', '1 25', '2 35', '.']);
  await c.exchange('UIDL 1', '+OK');
  await c.quit();
  t.strictSame(told(c), {});
});

t.test('without the option there are no lines at all', async (t) => {
  const c = await conversation(t, { messages: [hello] });
  await c.login();
  await c.exchange('DELE 1', '+OK');
  await c.quit();
  t.strictSame(told(c), {});
});

t.test('TOP is told apart from RETR, and all of a message from a part of it', async (t) => {
  const c = await start(t);
  await c.exchange('TOP 1 0', ['+OK', 'Subject: hello', '', '.']);
  await c.exchange('TOP 2 99', ['+OK', 'Subject: world', '', 'world', 'and more', '.']);
  await c.quit();
  t.strictSame(told(c), { 1: 'no part no', 2: 'no whole no' });
});

t.test('what was marked and not committed by QUIT says so', async (t) => {
  const c = await start(t);
  await c.exchange('DELE 1', '+OK');
  await c.hangUp();
  t.strictSame(told(c), { 1: 'no no no-quit' });
  t.equal(c.log.at(-1)?.fields['reason'], 'disconnect');
});

t.test('RSET takes marks back, and DELE sets them again', async (t) => {
  const c = await start(t);
  await c.exchange('DELE 1', '+OK');
  await c.exchange('DELE 2', '+OK');
  await c.exchange('RSET', '+OK');
  await c.exchange('DELE 2', '+OK');
  await c.quit();
  t.strictSame(told(c), { 1: 'no no taken-back', 2: 'no no removed' });
});

t.test('a message that could not be removed says why', async (t) => {
  const c = await start(t);
  c.maildrop.fault(2, { removal: 'EACCES' });
  await c.exchange('DELE 1', '+OK');
  await c.exchange('DELE 2', '+OK');
  await c.quit('-ERR [SYS/PERM]');
  t.strictSame(told(c), { 1: 'no no removed', 2: 'no no failed EACCES: made by the test' });
});

t.test('a marked message that another program removed first was already gone', async (t) => {
  const c = await start(t);
  await c.exchange('DELE 1', '+OK');
  c.maildrop.expunge(1);
  await c.exchange('NOOP', '+OK');
  await c.quit();
  t.strictSame(told(c), { 1: 'no no already-gone' });
});

t.test('a message that broke off was sent in part', async (t) => {
  const c = await start(t, ['x'.repeat(600_000)]);
  c.maildrop.fault(1, { readableBytes: 400_000 });
  c.send('RETR 1\r\n');
  await c.client.rest();
  await c.over();
  t.strictSame(told(c), { 1: 'part no no' });
});

t.test('a message that could not be opened has no line: nothing of it was sent', async (t) => {
  const c = await start(t);
  c.maildrop.fault(1, { opening: 'EACCES' });
  await c.exchange('RETR 1', '-ERR [SYS/PERM]');
  await c.quit();
  t.strictSame(told(c), {});
});
