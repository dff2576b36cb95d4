// What pop3get says in cron's mail: the reason first, then the account, what to do, and only then figures.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startScript } from '../support/peers/socks-proxy.js';
import {
  makeMaildir,
  numberedMessages,
  runPop3get,
  startFakeServer,
} from '../support/programs/pop3get-fixture.js';
import { runProgram } from '../support/programs/run-program.js';
import { freePort } from '../support/suite/free-port.js';

const three = numberedMessages(3);

t.test('a message that is left: why, of which account, which one', async (t) => {
  const server = await startFakeServer(t, {
    messages: three,
    fault: (line) => (line === 'RETR 2' ? '-ERR it is damaged\r\n' : undefined),
  });
  const { status, stderr } = await runPop3get(t, server.port, makeMaildir(t));
  t.equal(status, 1, stderr);
  const [left = '', end = ''] = stderr.split('\n');
  t.match(
    left,
    /^pop3get: message-left reason="the server does not send it: \\?"it is damaged\\?"" account=ann@127.0.0.1 number=2 uid=id-2$/,
  );
  t.match(
    end,
    /^pop3get: failed error="not transferred: 1 of 3 messages, named above" account=ann@127.0.0.1 .*stored=2/,
  );
});

t.test('a session that ended and is followed by another', async (t) => {
  const server = await startFakeServer(t, {
    messages: three,
    fault: (line, session, socket) => {
      if (session === 1 && line === 'RETR 2') socket.destroy();
      return undefined;
    },
  });
  const { status, stderr } = await runPop3get(t, server.port, makeMaildir(t));
  t.equal(status, 0, stderr);
  t.match(
    stderr,
    /^pop3get: session-ended reason=.*closed the connection.* account=ann@127.0.0.1 next=reconnecting$/m,
  );
});

t.test('a connection that is refused, and what may help', async (t) => {
  const port = await freePort();
  const { status, stderr } = await runPop3get(t, port, makeMaildir(t));
  t.equal(status, 111, stderr);
  t.match(
    stderr,
    `pop3get: failed error="cannot connect: connection refused by 127.0.0.1 port ${port}" account=ann@127.0.0.1`,
  );
  const proxy = await startScript(t, (client) => {
    client.once('data', () => {
      client.write(Buffer.from([5, 0]));
      client.once('data', () => client.end(Buffer.from([5, 5, 0, 1, 0, 0, 0, 0, 0, 0])));
    });
  });
  const args = ['--proxy', `socks5://127.0.0.1:${proxy}`, '--directory', makeMaildir(t)];
  const env = { POP3GET_PASSWORD: 'secret' };
  const clear = await runProgram(t, 'pop3get', [...args, 'mail.test', 'ann'], { env });
  t.match(
    clear.stderr,
    /connection refused by mail.test port 110, says .*: where there is only pop3s, on port 995, say --tls implicit/,
  );
});

t.test('a receiver that is not there', async (t) => {
  const server = await startFakeServer(t, { messages: three });
  const port = await freePort();
  const where = [`lmtp:127.0.0.1:${port}`, '--recipient', 'ann@example.org'];
  const { status, stderr } = await runPop3get(t, server.port, t.testdir(), ['--deliver', ...where]);
  t.equal(status, 111, stderr);
  t.match(stderr, `failed error="connection refused by lmtp:127.0.0.1:${port}" account=ann@`);
  t.equal(server.messages.length, 3);
});

t.test('a command for the secret that fails, and no secret at all', async (t) => {
  const folder = t.testdir();
  const common = `domain = 127.0.0.1\nusername = ann\ndirectory = ${makeMaildir(t)}\n`;
  writeFileSync(
    join(folder, 'accounts'),
    `[one]\n${common}password-command = kill -9 $$\n[two]\n${common}`,
  );
  const { status, stderr } = await runProgram(t, 'pop3get', [
    ...['--config', join(folder, 'accounts'), '--at-once', '1'],
  ]);
  t.equal(status, 100, stderr);
  t.match(stderr, /--password-command failed \(ended by SIGKILL\): run it by hand to see why/);
  t.match(stderr, /failed error="how to log in is not said: give one of password-file,/);
  const server = await startFakeServer(t, { messages: three, capabilities: ['SASL XOAUTH2'] });
  const args = ['--port', String(server.port), '--token-command', 'exit 7'];
  const token = await runProgram(t, 'pop3get', [
    ...args,
    ...['--directory', makeMaildir(t), '127.0.0.1', 'ann'],
  ]);
  t.equal(token.status, 111, token.stderr);
  t.match(token.stderr, /--token-command failed \(exit status 7\): run it by hand to see why/);
});
