// pop3get through a SOCKS5 proxy of Debian's: microsocks.

import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { expectProgram, unlessInstalled } from '../support/peers/debian.js';
import {
  makeMaildir,
  numberedMessages,
  sortedContents,
  startFakeServer,
  storedContents,
} from '../support/programs/pop3get-fixture.js';
import { runProgram, startCommand, type Result } from '../support/programs/run-program.js';
import { poll } from '../support/suite/deadline.js';
import { freePort } from '../support/suite/free-port.js';

const skip = unlessInstalled('microsocks');
const three = numberedMessages(3);

async function startMicrosocks(t: Test, args: readonly string[] = []): Promise<number> {
  const port = await freePort();
  const words = ['-i', '127.0.0.1', '-p', String(port), ...args];
  startCommand(t, expectProgram('microsocks'), words);
  await poll('microsocks listens', async () => {
    const socket = connect({ host: '127.0.0.1', port });
    const isUp = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    return isUp ? true : undefined;
  });
  return port;
}

async function fetchThrough(t: Test, url: string, maildir: string, port: number): Promise<Result> {
  return runProgram(
    t,
    'pop3get',
    ['--proxy', url, '--port', String(port), '--directory', maildir, 'localhost', 'ann'],
    { env: { POP3GET_PASSWORD: 'secret' } },
  );
}

t.test('microsocks resolves the name and connects', { skip }, async (t) => {
  const server = await startFakeServer(t, { messages: three });
  const proxy = await startMicrosocks(t);
  const maildir = makeMaildir(t);
  const result = await fetchThrough(t, `socks5://127.0.0.1:${proxy}`, maildir, server.port);
  t.equal(result.status, 0, result.stderr);
  t.same([...storedContents(maildir)].sort(), sortedContents(three));
  const nobody = await fetchThrough(t, `socks5://127.0.0.1:${proxy}`, maildir, 1);
  t.equal(nobody.status, 111, nobody.stderr);
  t.match(nobody.stderr, /connection refused by localhost port 1, says the proxy 127.0.0.1/);
});

t.test('microsocks that wants a user and password gets them', { skip }, async (t) => {
  const server = await startFakeServer(t, { messages: three });
  const proxy = await startMicrosocks(t, ['-u', 'ann', '-P', 'open sesame']);
  const maildir = makeMaildir(t);
  const fetchBy = (login: string): Promise<Result> =>
    fetchThrough(t, `socks5://${login}127.0.0.1:${proxy}`, maildir, server.port);
  const unknown = await fetchBy('');
  t.equal(unknown.status, 100, unknown.stderr);
  t.match(unknown.stderr, /the proxy 127.0.0.1 wants a user and password/);
  const wrong = await fetchBy('ann:guess@');
  t.equal(wrong.status, 100, wrong.stderr);
  t.match(wrong.stderr, /refuses the user or password/);
  t.equal(server.commands.length, 0);
  const right = await fetchBy('ann:open%20sesame@');
  t.equal(right.status, 0, right.stderr);
  t.equal(storedContents(maildir).length, 3);
});
