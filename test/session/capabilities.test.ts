// CAPA: the same set before and after login, and nothing that is not there. RFC 2449 §5, §6.

import t from 'tap';
import { conversation } from '../support/sessions/session-conversation.js';

t.test('CAPA announces the same in both states', async (t) => {
  const c = await conversation(t);
  const before = await c.client.listing('CAPA');
  await c.login();
  t.strictSame(await c.client.listing('CAPA'), before);
});

t.test('CAPA announces what RFC 2449 knows of this server', async (t) => {
  const c = await conversation(t);
  const lines = await c.client.listing('CAPA');
  for (const line of [
    'TOP',
    'UIDL',
    'USER',
    'PIPELINING',
    'RESP-CODES',
    'AUTH-RESP-CODE',
    'EXPIRE NEVER',
  ]) {
    t.ok(lines.includes(line), line);
  }
  t.equal(lines.filter((line) => line.startsWith('IMPLEMENTATION ')).length, 1);
  t.notOk(lines.includes('STLS'), 'no STLS without a certificate');
  t.strictSame(
    lines.filter((line) => line.startsWith('X')),
    [],
    'RFC 2449 §9: no X names',
  );
  t.equal(new Set(lines.map((line) => line.split(' ')[0])).size, lines.length, 'each once');
  for (const line of lines) t.match(line, /^[!-~]+(?: [!-~]+)*$/);
});

t.test('a command of the announced optional ones works', async (t) => {
  const c = await conversation(t, { messages: ['a: b\n\nx\n'] });
  await c.login();
  await c.exchange('TOP 1 1', ['+OK', 'a: b', '', 'x', '.']);
  await c.exchange('UIDL', ['+OK', '1 id-1', '.']);
});

t.test('every reply is a line of at most 512 octets with +OK or -ERR in capitals', async (t) => {
  const c = await conversation(t, { messages: ['x\n'] });
  for (const command of ['capa', 'user x', 'pass x', 'stat', 'x'.repeat(255), 'quit 1']) {
    const status = await c.client.command(command);
    t.match(status, /^(?:\+OK|-ERR) [ -~]{1,505}$/);
    if (command === 'capa') await c.client.multiline();
  }
});
