// AUTHORIZATION: USER, PASS, QUIT before login, and what wrong logins are told. RFC 1939 §4, §7; RFC 3206.

import t from 'tap';
import { MaildropRefused } from '../../src/maildrop/messages/maildrop-refused.js';
import { systemError } from '../support/mail/memory-maildrop.js';
import { address, conversation, password } from '../support/sessions/session-conversation.js';

/** What AUTH PLAIN sends. RFC 4616. */
function plainResponse(secret: string): string {
  return Buffer.from(`\0${address}\0${secret}`).toString('base64');
}

t.test('USER and PASS lead to the maildrop', async (t) => {
  const c = await conversation(t, { messages: ['Subject: x\n\nbody\n'] });
  await c.exchange(`USER ${address}`, '+OK');
  await c.exchange(`PASS ${password}`, '+OK');
  await c.exchange('STAT', '+OK 1 20');
  await c.quit();
});

t.test('a login in lower case, as people type it', async (t) => {
  const c = await conversation(t);
  await c.exchange(`user ${address}`, '+OK');
  await c.exchange(`pass ${password}`, '+OK');
  await c.exchange('quit', '+OK');
});

t.test('QUIT before login is answered +OK and enters no UPDATE', async (t) => {
  const c = await conversation(t, { messages: ['x\n'] });
  await c.quit('+OK');
  t.equal(c.maildrop.updateCount, 0);
  t.strictSame((await c.logged('logout'))['reason'], 'quit');
});

t.test('QUIT between USER and PASS is answered +OK', async (t) => {
  const c = await conversation(t);
  await c.exchange(`USER ${address}`, '+OK');
  await c.quit('+OK');
});

t.test('PASS before USER is refused and leaves the session in AUTHORIZATION', async (t) => {
  const c = await conversation(t);
  await c.exchange(`PASS ${password}`, '-ERR');
  await c.exchange('STAT', '-ERR');
  await c.login();
});

t.test('USER without a name is refused and PASS still lacks one', async (t) => {
  const c = await conversation(t);
  for (const command of ['USER', 'USER ', 'USER   ']) await c.exchange(command, '-ERR');
  await c.exchange(`PASS ${password}`, '-ERR');
  await c.login();
});

t.test('PASS alone is no guess: it leaves the name, and nothing is logged', async (t) => {
  const c = await conversation(t);
  await c.exchange(`USER ${address}`, '+OK');
  await c.exchange('PASS', '-ERR Give a password');
  await c.exchange(`PASS ${password}`, '+OK');
  t.notOk(c.log.some(({ event }) => event === 'failure'));
});

for (const command of ['PASS ', `AUTH PLAIN ${plainResponse('')}`]) {
  t.test(`an empty password is as wrong as any other: ${command.slice(0, 10)}`, async (t) => {
    const told: string[] = [];
    const c = await conversation(t, {
      starter: { tell: ({ what }) => told.push(what) },
      limits: { maxFailedLogins: 3 },
    });
    const replies: string[] = [];
    for (const guess of [
      command,
      command.startsWith('PASS') ? 'PASS wrong' : `AUTH PLAIN ${plainResponse('wrong')}`,
    ]) {
      await c.exchange(`USER ${address}`, '+OK');
      replies.push(await c.client.command(guess));
    }
    t.strictSame(replies, Array(2).fill('-ERR [AUTH] Authentication failed'));
    const failures = c.log.filter(({ event }) => event === 'failure').map(({ fields }) => fields);
    t.strictSame(failures[0], failures[1], 'the log tells them apart as little');
    t.match(failures[0], { code: 'AUTH', user: address, reason: 'wrong password' });
    t.strictSame(told, ['failed-login', 'failed-login'], 'both count');
    await c.exchange(`USER ${address}`, '+OK');
    await c.exchange(command, '-ERR Too many failed logins');
  });
}

t.test('the last of several USER commands counts', async (t) => {
  const c = await conversation(t);
  await c.exchange('USER nobody@example.org', '+OK');
  await c.exchange(`USER ${address}`, '+OK');
  await c.exchange(`PASS ${password}`, '+OK');
});

t.test('a wrong password is [AUTH], and the session goes on to a right one', async (t) => {
  const c = await conversation(t);
  await c.exchange(`USER ${address}`, '+OK');
  await c.exchange('PASS wrong', '-ERR [AUTH]');
  await c.exchange('STAT', '-ERR');
  await c.login();
});

t.test('a failed PASS uses up the name: the next PASS needs USER again', async (t) => {
  const c = await conversation(t);
  await c.exchange(`USER ${address}`, '+OK');
  await c.exchange('PASS wrong', '-ERR [AUTH]');
  await c.exchange(`PASS ${password}`, '-ERR');
});

t.test('an unknown user is told exactly what a wrong password is told', async (t) => {
  const c = await conversation(t);
  const replies: string[] = [];
  for (const name of [address, 'nobody@example.org']) {
    replies.push(await c.client.command(`USER ${name}`), await c.client.command('PASS wrong'));
  }
  t.strictSame(replies.slice(2), replies.slice(0, 2));
});

for (const [what, secret] of [
  ['inner spaces', 'a b  c'],
  ['a leading space', ' secret'],
  ['a trailing space', 'secret '],
  ['nothing but spaces', '   '],
  ['a tab', 'a\tb'],
  ['octets over 127', 'p\xe4ss\xff\x80'],
  ['format characters', '%s%n\'; DROP TABLE users;--"\\'],
  ['a control character', '\x01\x7f'],
  ['512 octets', 'x'.repeat(512)],
] as const) {
  t.test(`a password with ${what} is taken octet for octet`, async (t) => {
    const c = await conversation(t, { accounts: { [address]: secret } });
    await c.exchange(`USER ${address}`, '+OK');
    await c.exchange(`PASS ${secret.trim()}x`, '-ERR [AUTH]');
    await c.exchange(`USER ${address}`, '+OK');
    await c.exchange(`PASS ${secret}`, '+OK');
  });
}

t.test('passwords never reach the log', async (t) => {
  const c = await conversation(t);
  await c.exchange(`USER ${address}`, '+OK');
  await c.exchange('PASS hunter2', '-ERR [AUTH]');
  await c.exchange('PASS hunter2', '-ERR');
  await c.login();
  await c.quit();
  const text = JSON.stringify(c.log);
  t.notMatch(text, 'hunter2');
  t.notMatch(text, password);
});

t.test('a refused login is logged with the name as given and the reason', async (t) => {
  const c = await conversation(t);
  await c.exchange('USER Nobody@example.org', '+OK');
  await c.exchange('PASS x', '-ERR [AUTH]');
  t.match(await c.logged('failure'), {
    user: 'Nobody@example.org',
    reason: 'unknown user',
    mechanism: 'USER',
  });
});

for (const command of [`USER ${address}`, `PASS ${password}`]) {
  t.test(`${command.split(' ')[0] ?? ''} after login is refused and changes nothing`, async (t) => {
    const c = await conversation(t, { messages: ['x\n'] });
    await c.login();
    await c.exchange('DELE 1', '+OK');
    await c.exchange(command, '-ERR');
    await c.exchange('STAT', '+OK 0 0');
  });
}

for (const [what, isLasting, code] of [
  ['passing', false, '[SYS/TEMP]'],
  ['lasting', true, '[SYS/PERM]'],
] as const) {
  t.test(`a ${what} fault of the password database is ${code}, never [AUTH]`, async (t) => {
    const c = await conversation(t, {
      verdict: () => ({ verdict: 'unavailable', isLasting, reason: 'database is locked' }),
    });
    await c.exchange(`USER ${address}`, '+OK');
    await c.exchange(`PASS ${password}`, `-ERR ${code}`);
    await c.exchange('STAT', '-ERR');
    t.match(await c.logged('failure'), { reason: 'database is locked' });
  });
}

t.test('an authenticator that throws is a passing fault, and the session lives', async (t) => {
  const c = await conversation(t, { verdict: () => Promise.reject(new Error('out of memory')) });
  await c.exchange(`USER ${address}`, '+OK');
  await c.exchange(`PASS ${password}`, '-ERR [SYS/TEMP]');
  await c.quit('+OK');
});

t.test('a maildrop that cannot be read is [SYS/TEMP], never an empty one', async (t) => {
  const c = await conversation(t, { maildropFault: systemError('EACCES') });
  await c.exchange(`USER ${address}`, '+OK');
  await c.exchange(`PASS ${password}`, '-ERR [SYS/TEMP]');
  await c.exchange('STAT', '-ERR');
  await c.quit('+OK');
});

t.test('a maildrop that must not be served is [SYS/PERM]', async (t) => {
  const c = await conversation(t, { maildropFault: new MaildropRefused('a symbolic link') });
  await c.exchange(`USER ${address}`, '+OK');
  await c.exchange(`PASS ${password}`, '-ERR [SYS/PERM]');
  t.match(await c.logged('failure'), { reason: 'a symbolic link' });
});

t.test('replies repeat nothing that the peer sent', async (t) => {
  const c = await conversation(t);
  for (const command of ['USER [SYS/TEMP]x', 'PASS [SYS/TEMP]x', '[IN-USE] x', 'X'.repeat(200)]) {
    const reply = await c.client.command(command);
    t.notMatch(reply, /IN-USE|SYS\/TEMP|XX/);
  }
});
