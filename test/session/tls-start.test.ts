// STLS: what comes before the handshake leaves no trace after it. RFC 2595 §4; the faults known as NO STARTTLS.

import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { loadServerTls } from '../../src/system/tls/tls-server.js';
import { makeCertificate } from '../support/accounts/certificate.js';
import { startSession, type SessionOnSocket } from '../support/sessions/session-on-socket.js';
import {
  leaveClear,
  shakeHands,
  startTls,
  type TlsPeer,
} from '../support/sessions/tls-conversation.js';
import { WireClient } from '../support/sessions/wire-client.js';

const { cert, key } = makeCertificate(t.testdir({}));
const tls = loadServerTls(cert, key);
const peer = '192.0.2.1';

/** Writes each piece as a segment of its own. */
async function writePieces(socket: Socket, pieces: readonly string[]): Promise<void> {
  socket.setNoDelay(true);
  for (const piece of pieces) {
    await new Promise((resolve) => socket.write(Buffer.from(piece, 'latin1'), resolve));
  }
}

/** Nothing that came in the clear is known: neither a name, nor a login, nor half a line. */
async function expectFreshSession(t: Test, { client }: TlsPeer): Promise<void> {
  t.equal(await client.command('PASS open sesame'), '-ERR Give a user name with USER first');
  t.match(await client.command('STAT'), /^-ERR Log in first$/);
  await client.ok('USER ann@example.org');
  await client.ok('PASS open sesame');
  t.equal(await client.command('STAT'), '+OK 1 25', 'the message is still there');
  await client.ok('QUIT');
  t.equal((await client.rest()).length, 0, 'each command had one reply, the injected ones none');
}

const injected = 'USER ann@example.org\r\nPASS open sesame\r\nDELE 1\r\nQUIT\r\n';

for (const [title, piecesOf] of [
  ['in the same segment', [`STLS\r\n${injected}`]],
  ['after a CR and LF in different segments', ['STLS\r', `\n${injected}`]],
  ['after a bare LF', [`STLS\n${injected}`]],
  ['after pipelined commands', [`NOOP\r\nSTLS\r\n${injected}`]],
] as const) {
  t.test(`commands injected ${title} are never run`, async (t) => {
    const session = await startSession(t, { tls, peer });
    const clear = new WireClient(session.socket, session.socket);
    await clear.status();
    await writePieces(session.socket, piecesOf);
    if (title === 'after pipelined commands') t.match(await clear.status(), /^-ERR/);
    t.equal(await clear.status(), '+OK Begin TLS negotiation');
    await expectFreshSession(t, await shakeHands(leaveClear(session.socket)));
    t.strictSame(failures(session), []);
  });
}

t.test('the first half of a line in the clear is no part of the first line in TLS', async (t) => {
  const { socket } = await startSession(t, { tls, peer });
  const clear = new WireClient(socket, socket);
  await clear.status();
  await writePieces(socket, ['STLS\r\nUSER ann@exam']);
  await clear.status();
  const inTls = await shakeHands(leaveClear(socket));
  t.match(await inTls.client.command('ple.org'), /^-ERR Unknown command$/);
  await expectFreshSession(t, inTls);
});

t.test('an over-long line that STLS cuts off does not swallow the first line in TLS', async (t) => {
  const { socket } = await startSession(t, { tls, peer });
  const clear = new WireClient(socket, socket);
  await clear.status();
  await writePieces(socket, [`STLS\r\n${'x'.repeat(14_000)}`]);
  await clear.status();
  await expectFreshSession(t, await shakeHands(leaveClear(socket)));
});

t.test('commands between the reply to STLS and the ClientHello end the connection', async (t) => {
  const session = await startSession(t, { tls, peer });
  const clear = new WireClient(session.socket, session.socket);
  await clear.status();
  await clear.ok('STLS');
  await writePieces(session.socket, [injected]);
  await t.rejects(shakeHands(leaveClear(session.socket)));
  await session.over();
  t.strictSame(failures(session).length, 1);
  t.equal(session.inbox.contents().length, 1);
});

t.test('commands sent octet by octet around STLS are never run', async (t) => {
  const session = await startSession(t, { tls, peer });
  const clear = new WireClient(session.socket, session.socket);
  await clear.status();
  await writePieces(session.socket, Array.from(`STLS\r\n${injected}`));
  t.equal(await clear.status(), '+OK Begin TLS negotiation');
  // What comes too late to be thrown away is taken for a ClientHello, and ends the connection.
  const inTls = await shakeHands(leaveClear(session.socket)).catch(() => null);
  if (inTls === null) {
    await session.over();
    t.equal(failures(session).length, 1);
  } else {
    await expectFreshSession(t, inTls);
  }
  t.equal(session.inbox.contents().length, 1);
  t.notOk(session.log.some(({ event }) => event === 'login' && inTls === null));
});

t.test('a user name given in the clear is forgotten', async (t) => {
  const { socket } = await startSession(t, { tls, peer: '127.0.0.1' });
  const clear = new WireClient(socket, socket);
  await clear.status();
  await clear.ok('USER ann@example.org');
  await clear.ok('STLS');
  const { client } = await shakeHands(leaveClear(socket));
  t.equal(await client.command('PASS open sesame'), '-ERR Give a user name with USER first');
});

t.test('a language chosen in the clear is forgotten', async (t) => {
  const { socket } = await startSession(t, { tls, peer });
  const clear = new WireClient(socket, socket);
  await clear.status();
  await clear.ok('LANG de');
  await clear.ok('UTF8');
  t.equal(await clear.command('STLS'), '+OK TLS kann beginnen');
  const { client } = await shakeHands(leaveClear(socket));
  t.equal(await client.command('STAT'), '-ERR Log in first');
});

t.test('STLS as the answer to a SASL challenge starts no TLS', async (t) => {
  const { socket } = await startSession(t, { tls, peer: '127.0.0.1' });
  const clear = new WireClient(socket, socket);
  await clear.status();
  clear.write('AUTH PLAIN\r\n');
  t.equal(await clear.line(), '+ ');
  t.equal(await clear.command('STLS='), '-ERR That is not base64');
  await clear.ok('STLS');
  const { client } = await shakeHands(leaveClear(socket));
  t.match(await client.command('STAT'), /^-ERR Log in first/, 'no challenge is open any more');
});

t.test(
  'STLS is refused in TLS, after the login, with an argument and without a certificate',
  async (t) => {
    const inTls = await startTls((await startSession(t, { tls, peer })).socket);
    t.equal(await inTls.client.command('STLS'), '-ERR TLS is in use already');
    await inTls.client.ok('USER ann@example.org');
    await inTls.client.ok('PASS open sesame');
    t.equal(await inTls.client.command('STLS'), '-ERR You are logged in already');

    const { socket } = await startSession(t, { peer });
    const clear = new WireClient(socket, socket);
    await clear.status();
    t.equal(await clear.command('STLS'), '-ERR TLS is not offered');
    t.equal(await clear.command('STLS now'), '-ERR This command takes no arguments');
    await clear.ok('USER ann@example.org');
    await clear.ok('PASS open sesame');
    t.equal(await clear.command('STLS'), '-ERR You are logged in already');
  },
);

t.test('bad commands in the clear count on in TLS', async (t) => {
  const { socket } = await startSession(t, { tls, peer });
  const clear = new WireClient(socket, socket);
  await clear.status();
  for (const line of ['GET / HTTP/1.1', 'EHLO x', 'HELP']) await clear.command(line);
  await clear.ok('STLS');
  const { client } = await shakeHands(leaveClear(socket));
  t.equal(await client.command('HELP'), '-ERR Too many bad commands');
  t.equal((await client.rest()).length, 0);
});

function failures({ log }: SessionOnSocket): readonly string[] {
  return log
    .filter(({ event }) => event === 'tls-failed')
    .map(({ fields }) => String(fields['error']));
}
