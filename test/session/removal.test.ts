// DELE, RSET, messages that other programs remove, and UPDATE. RFC 1939 §5, §6.

import t from 'tap';
import { conversation } from '../support/sessions/session-conversation.js';

const one = 'Subject: one\n\n1\n'; // 19 octets as sent
const two = 'Subject: two\n\n2\n';
const three = 'Subject: three\n\n3\n'; // 21

t.test('DELE and QUIT remove the message and no other', async (t) => {
  const c = await conversation(t, { messages: [one, two, three] });
  await c.login();
  await c.exchange('DELE 2', '+OK');
  t.strictSame(c.maildrop.contents(), [one, two, three], 'nothing before QUIT');
  await c.quit('+OK');
  t.strictSame(c.maildrop.contents(), [one, three]);
  t.match(await c.logged('logout'), { reason: 'quit', dele: 1 });
});

t.test('DELE twice is refused the second time', async (t) => {
  const c = await conversation(t, { messages: [one, two] });
  await c.login();
  await c.exchange('DELE 1', '+OK');
  await c.exchange('DELE 1', '-ERR');
  await c.exchange('DELE 9999', '-ERR');
  await c.exchange('STAT', '+OK 1 19');
});

t.test('RSET brings marked messages back, and QUIT then removes nothing', async (t) => {
  const c = await conversation(t, { messages: [one, two] });
  await c.login();
  await c.exchange('DELE 1', '+OK');
  await c.exchange('DELE 2', '+OK');
  await c.exchange('RSET', '+OK');
  await c.exchange('LIST', ['+OK', '1 19', '2 19', '.']);
  await c.exchange('DELE 1', '+OK');
  await c.exchange('RSET', '+OK');
  await c.quit('+OK');
  t.strictSame(c.maildrop.contents(), [one, two]);
});

t.test('what another program removed is as if this client had sent DELE', async (t) => {
  const c = await conversation(t, { messages: [one, two, three] });
  await c.login();
  await c.exchange('STAT', '+OK 3 59');
  c.maildrop.expunge(2);
  await c.exchange('STAT', '+OK 2 40');
  await c.exchange('LIST', ['+OK', '1 19', '3 21', '.']);
  await c.exchange('UIDL', ['+OK', '1 id-1', '3 id-3', '.']);
  for (const command of ['LIST 2', 'UIDL 2', 'RETR 2', 'TOP 2 0', 'DELE 2']) {
    await c.exchange(command, '-ERR');
  }
  await c.exchange('LIST 3', '+OK 3 21');
});

t.test('RSET does not bring back what another program removed', async (t) => {
  const c = await conversation(t, { messages: [one, two, three] });
  await c.login();
  await c.exchange('DELE 1', '+OK');
  await c.exchange('DELE 3', '+OK');
  c.maildrop.expunge(3);
  await c.exchange('RSET', '+OK');
  await c.exchange('LIST', ['+OK', '1 19', '2 19', '.']);
});

t.test('a marked message that another program removed first counts as removed', async (t) => {
  const c = await conversation(t, { messages: [one, two] });
  await c.login();
  await c.exchange('DELE 1', '+OK');
  c.maildrop.expunge(1);
  await c.quit('+OK');
  t.strictSame(c.maildrop.contents(), [two]);
});

for (const command of ['LIST 1', 'RETR 1']) {
  t.test(`a message that goes while ${command} looks at it is refused`, async (t) => {
    const c = await conversation(t, { messages: [one, two] });
    await c.login();
    if (command === 'LIST 1') c.maildrop.fault(1, { vanishesWhenMeasured: true });
    else c.maildrop.refresh = () => undefined;
    if (command === 'RETR 1') c.maildrop.expunge(1);
    await c.exchange(command, '-ERR');
    await c.exchange('LIST 2', '+OK 2 19');
  });
}

t.test('a message that goes while STAT and LIST count is in neither', async (t) => {
  const c = await conversation(t, { messages: [one, two] });
  c.maildrop.fault(1, { vanishesWhenMeasured: true });
  await c.login();
  await c.exchange('STAT', '+OK 1 19');
  await c.exchange('LIST', ['+OK', '2 19', '.']);
});

for (const [codes, reply] of [
  [['EACCES'], '-ERR [SYS/PERM]'],
  [['EPERM', 'EROFS'], '-ERR [SYS/PERM]'],
  [['EIO'], '-ERR [SYS/TEMP]'],
  [['EACCES', 'EBUSY'], '-ERR [SYS/TEMP]'],
] as const) {
  t.test(`QUIT tells ${reply} when removing fails with ${codes.join(' and ')}`, async (t) => {
    const c = await conversation(t, { messages: [one, two, three] });
    await c.login();
    for (const [index, code] of codes.entries()) c.maildrop.fault(index + 1, { removal: code });
    for (const number of [1, 2, 3]) await c.exchange(`DELE ${number}`, '+OK');
    await c.quit(reply);
    t.strictSame(c.maildrop.contents(), [one, two, three].slice(0, codes.length), 'others went');
    t.match(await c.logged('logout'), { reason: 'quit', dele: 3 - codes.length });
  });
}

t.test(
  'a maildrop that cannot be looked at any more is [SYS/TEMP], but for a message that opens',
  async (t) => {
    const c = await conversation(t, { messages: [one] });
    await c.login();
    c.maildrop.refreshFault = 'EACCES';
    for (const command of ['STAT', 'LIST', 'UIDL', 'DELE 1']) {
      await c.exchange(command, '-ERR [SYS/TEMP] The maildrop cannot be read at present');
    }
    await c.exchange('RETR 1', '+OK');
    t.equal((await c.client.multiline()).toString(), one.replaceAll('\n', '\r\n'));
    c.maildrop.refreshFault = undefined;
    await c.exchange('STAT', '+OK 1 19');
  },
);

t.test('QUIT closes the connection even when the maildrop cannot be looked at', async (t) => {
  const c = await conversation(t, { messages: [one] });
  await c.login();
  await c.exchange('DELE 1', '+OK');
  c.maildrop.refreshFault = 'ENOENT';
  c.maildrop.fault(1, { removal: 'ENOTDIR' });
  await c.quit('-ERR [SYS/TEMP]'); // RFC 1939 §6: whether the removal succeeded or not
  t.equal((await c.logged('logout'))['reason'], 'quit');
});

t.test('a removal that breaks down altogether is -ERR and the end', async (t) => {
  const c = await conversation(t, { messages: [one] });
  await c.login();
  await c.exchange('DELE 1', '+OK');
  c.maildrop.update = () => Promise.reject(new Error('broken'));
  await c.quit('-ERR [SYS/TEMP]');
});

t.test('the maildrop is released once, however the session ends', async (t) => {
  const byQuit = await conversation(t, { messages: [one] });
  await byQuit.login();
  await byQuit.quit();
  const byReset = await conversation(t, { messages: [one] });
  await byReset.login();
  await byReset.reset();
  t.strictSame([byQuit.maildrop.closeCount, byReset.maildrop.closeCount], [1, 1]);
});
