// What a session bears, and for how long. RFC 1939 §3 (autologout), RFC 2449 §4.

import t from 'tap';
import { unlimited } from '../../src/auth/accounts/grant.js';
import { shutDownSessions } from '../../src/pop3-server/session/running-sessions.js';
import { asSent } from '../support/mail/as-sent.js';
import { conversation } from '../support/sessions/session-conversation.js';

/** Long enough for a login on a busy machine. */
const briefMs = 1000;

t.test('the fourth bad command before login ends the session', async (t) => {
  const c = await conversation(t);
  for (let count = 0; count < 3; count += 1) await c.exchange('XYZZY', '-ERR');
  await c.exchange('XYZZY', '-ERR Too many bad commands');
  await c.expectClosed('too many bad commands');
  t.equal((await c.logged('logout'))['reason'], 'error');
});

t.test('refused commands of POP3 do not count as bad ones', async (t) => {
  const c = await conversation(t);
  for (let count = 0; count < 30; count += 1) await c.exchange('STAT', '-ERR');
  await c.login();
  for (let count = 0; count < 30; count += 1) await c.exchange('LIST 7', '-ERR');
  await c.quit();
});

t.test('the 21st bad command after login ends the session and deletes nothing', async (t) => {
  const c = await conversation(t, { messages: ['x\n'] });
  await c.exchange('XYZZY', '-ERR');
  await c.login();
  await c.exchange('DELE 1', '+OK');
  for (let count = 0; count < 20; count += 1) await c.exchange('XYZZY', '-ERR Unknown');
  c.send('XYZZY\r\nQUIT\r\n');
  await c.expect('the 21st', '-ERR Too many bad commands');
  await c.expectClosed('too many bad commands');
  t.equal(c.maildrop.contents().length, 1);
});

t.test('a million empty lines cost a few replies', async (t) => {
  const c = await conversation(t);
  c.connection.write('\r\n'.repeat(1_000_000));
  for (let count = 0; count < 4; count += 1) await c.expect('an empty line', '-ERR');
  await c.expectClosed('too many bad commands');
});

t.test('the last of too many failed logins ends the session', async (t) => {
  const c = await conversation(t, { limits: { maxFailedLogins: 3 } });
  for (const reply of ['-ERR [AUTH]', '-ERR [AUTH]', '-ERR Too many failed logins']) {
    await c.exchange('USER ann@example.org', '+OK');
    await c.exchange('PASS wrong', reply);
  }
  await c.expectClosed('too many failed logins');
});

t.test('the login deadline closes without a word, whatever trickles in', async (t) => {
  const c = await conversation(t, { limits: { loginTimeoutMs: briefMs } });
  const trickle = setInterval(() => c.send('x'), briefMs / 10);
  const talk = setInterval(() => c.send('\r\nSTAT\r\n'), briefMs / 3);
  t.teardown(() => {
    clearInterval(trickle);
    clearInterval(talk);
  });
  await c.over();
  t.equal((await c.logged('logout'))['reason'], 'timeout');
});

t.test('the login deadline ends with the login', async (t) => {
  const c = await conversation(t, {
    messages: ['x\n'],
    limits: { loginTimeoutMs: briefMs, idleTimeoutMs: 60_000 },
  });
  await c.login();
  await new Promise((resolve) => setTimeout(resolve, 2 * briefMs));
  await c.exchange('STAT', '+OK 1 5');
});

t.test('the login deadline counts while a password is verified', async (t) => {
  const c = await conversation(t, {
    messages: ['x\n'],
    limits: { loginTimeoutMs: briefMs },
    verdict: async () => {
      await c.connectionClosed;
      return {
        verdict: 'accepted',
        identity: { user: 'ann', domain: 'example.org' },
        grant: unlimited,
      };
    },
  });
  c.send('USER ann@example.org\r\nPASS x\r\nDELE 1\r\nQUIT\r\n');
  await c.over();
  t.equal((await c.logged('logout'))['reason'], 'timeout');
  t.equal(c.maildrop.contents().length, 1);
});

t.test('the idle timeout closes without a word and deletes nothing', async (t) => {
  const c = await conversation(t, { messages: ['x\n'], limits: { idleTimeoutMs: briefMs } });
  await c.login();
  await c.exchange('DELE 1', '+OK');
  t.equal((await c.client.rest()).length, 0);
  await c.over();
  t.equal((await c.logged('logout'))['reason'], 'timeout');
  t.equal(c.maildrop.contents().length, 1);
  t.equal(c.maildrop.closeCount, 1);
});

t.test('octets that are no whole command do not keep a session alive', async (t) => {
  const c = await conversation(t, { limits: { idleTimeoutMs: briefMs } });
  await c.login();
  const trickle = setInterval(() => c.send('x'), briefMs / 10);
  t.teardown(() => clearInterval(trickle));
  await c.over();
  t.equal((await c.logged('logout'))['reason'], 'timeout');
});

t.test('commands keep a session alive', async (t) => {
  const idleTimeoutMs = 2000;
  const c = await conversation(t, { limits: { idleTimeoutMs } });
  await c.login();
  const end = performance.now() + 1.5 * idleTimeoutMs;
  while (performance.now() < end) {
    await c.exchange('NOOP', '+OK');
    await new Promise((resolve) => setTimeout(resolve, idleTimeoutMs / 40));
  }
  await c.quit();
});

t.test('a peer that does not read times out in the middle of a message', async (t) => {
  const c = await conversation(t, {
    messages: [`a: b\n\n${'x'.repeat(2_000_000)}\n`],
    limits: { idleTimeoutMs: briefMs },
    highWaterMark: 1024,
  });
  await c.login();
  await c.exchange('DELE 1', '+OK');
  await c.exchange('RSET', '+OK');
  c.connection.pause();
  c.send('RETR 1\r\nDELE 1\r\nQUIT\r\n');
  await c.over();
  t.match(await c.logged('logout'), { reason: 'timeout', retr: '0/0' });
  t.equal(c.maildrop.contents().length, 1);
});

t.test('a signal ends the session between commands, says so, and deletes nothing', async (t) => {
  const c = await conversation(t, { messages: ['x\n'] });
  await c.login();
  await c.exchange('DELE 1', '+OK');
  shutDownSessions();
  await c.expect('the signal', '-ERR [SYS/TEMP]');
  await c.expectClosed('the signal');
  t.equal((await c.logged('logout'))['reason'], 'signal');
  t.equal(c.maildrop.contents().length, 1);
});

t.test('a signal before login ends the session', async (t) => {
  const c = await conversation(t);
  shutDownSessions();
  await c.expect('the signal', '-ERR [SYS/TEMP]');
  await c.expectClosed('the signal');
});

t.test('a signal during UPDATE lets it finish and tell', async (t) => {
  const c = await conversation(t, { messages: ['x\n'] });
  await c.login();
  await c.exchange('DELE 1', '+OK');
  const update = c.maildrop.update.bind(c.maildrop);
  c.maildrop.update = () => {
    shutDownSessions();
    return update();
  };
  await c.quit('+OK');
  t.equal((await c.logged('logout'))['reason'], 'quit');
  t.equal(c.maildrop.contents().length, 0);
});

t.test('a signal during a message lets it end, and nothing after it runs', async (t) => {
  const stored = `a: b\n\n${'x'.repeat(2_000_000)}\n`;
  const c = await conversation(t, { messages: [stored], highWaterMark: 1024 });
  await c.login();
  c.stallAfterNextOctets();
  c.send('DELE 1\r\nRSET\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n');
  await c.expect('DELE', '+OK');
  await c.expect('RSET', '+OK');
  await c.expect('RETR', '+OK');
  shutDownSessions();
  c.connection.resume();
  t.equal((await c.client.multiline()).length, asSent(Buffer.from(stored)).length);
  const rest = (await c.client.rest()).toString('latin1');
  t.match(rest, /-ERR \[SYS\/TEMP\] .*\r\n$/);
  c.connection.end();
  await c.over();
  t.equal((await c.logged('logout'))['reason'], 'signal');
  t.equal(c.maildrop.contents().length, 1);
});
