// The handshake and what may go wrong in it, with STLS and from the first octet. RFC 8446, RFC 8996 (no TLS below 1.2).

import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { connect, type ConnectionOptions } from 'node:tls';
import t, { type Test } from 'tap';
import { shutDownSessions } from '../../src/pop3-server/session/running-sessions.js';
import { loadServerTls } from '../../src/system/tls/tls-server.js';
import { makeCertificate } from '../support/accounts/certificate.js';
import {
  startSession,
  type SessionOnSocket,
  type SessionOptions,
} from '../support/sessions/session-on-socket.js';
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

/** Both ways to TLS: `begin` brings a connection to where the ClientHello is due. */
const ways = [
  {
    way: 'STLS',
    options: { tls, peer } satisfies SessionOptions,
    begin: async (socket: Duplex): Promise<Duplex> => {
      const clear = new WireClient(socket, socket);
      await clear.status();
      await clear.ok('STLS');
      return leaveClear(socket);
    },
  },
  {
    way: 'TLS from the first octet',
    options: { tls, peer, isImplicit: true } satisfies SessionOptions,
    begin: (socket: Duplex): Promise<Duplex> => Promise.resolve(socket),
  },
] as const;

function lastOf({ log }: SessionOnSocket, event: string): string {
  const found = log.findLast((entry) => entry.event === event);
  return String(found?.fields['error'] ?? found?.fields['reason']);
}

function eventsOf({ log }: SessionOnSocket): readonly string[] {
  return log.map(({ event }) => event);
}

async function octetsUntilClose(socket: Duplex): Promise<Buffer> {
  const client = new WireClient(socket, socket);
  // It was paused when it was taken out of the clear.
  socket.resume();
  return client.rest();
}

for (const { way, options, begin } of ways) {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    t.test(`${way}: a session in ${version}`, async (t) => {
      const session = await startSession(t, options);
      const connection = await begin(session.socket);
      const limits = { minVersion: version, maxVersion: version };
      const { client } = await shakeHands(connection, limits);
      if (way !== 'STLS') t.match(await client.status(), /^\+OK POP3 server ready$/);
      await client.ok('USER ann@example.org');
      await client.ok('PASS open sesame');
      t.equal((await client.message('RETR 1')).toString(), 'Subject: hello\r\n\r\nworld\r\n');
      await client.ok('DELE 1');
      await client.ok('QUIT');
      t.equal((await client.rest()).length, 0);
      await session.over();
      t.strictSame(session.inbox.contents(), []);
      t.equal(session.log.find(({ event }) => event === 'login')?.fields['tls'], version);
    });
  }

  for (const version of ['TLSv1', 'TLSv1.1'] as const) {
    t.test(`${way}: ${version} is refused with an alert`, async (t) => {
      const session = await startSession(t, options);
      const connection = await begin(session.socket);
      await t.rejects(
        shakeHands(connection, {
          minVersion: version,
          maxVersion: version,
          ciphers: 'DEFAULT@SECLEVEL=0',
        }),
        { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' },
      );
      await session.over();
      t.strictSame(session.log.find(({ event }) => event === 'tls-failed')?.fields, {
        session: 'test',
        peer,
        error: 'unsupported protocol',
      });
    });
  }

  for (const [what, bytes] of [
    // A first octet of 128 or more could begin a long ClientHello of SSL 2.
    ['random octets', Buffer.concat([Buffer.of(0), randomBytes(4095)])],
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: example.org\r\n\r\n')],
    [
      'a record of impossible length',
      Buffer.from([0x16, 3, 1, 0xff, 0xff, ...randomBytes(70_000)]),
    ],
    ['16 MiB of handshake', handshakeWithoutEnd(16 * 1024 * 1024)],
  ] as const) {
    t.test(`${way}: ${what} instead of a ClientHello ends the connection`, async (t) => {
      const session = await startSession(t, options);
      const connection = await begin(session.socket);
      connection.on('error', () => undefined);
      connection.write(bytes);
      const alert = await octetsUntilClose(connection);
      t.ok(alert.length < 100, 'an alert at most');
      await session.over();
      t.equal(lastOf(session, 'logout'), 'error');
      t.not(lastOf(session, 'tls-failed'), 'the handshake took too long');
    });
  }

  t.test(`${way}: a peer that does not shake hands is dropped in time`, async (t) => {
    const session = await startSession(t, { ...options, limits: { handshakeTimeoutMs: 100 } });
    const connection = await begin(session.socket);
    connection.write(Buffer.from([0x16, 3, 1]));
    t.equal((await octetsUntilClose(connection)).length, 0);
    await session.over();
    t.equal(lastOf(session, 'tls-failed'), 'the handshake took too long');
  });

  t.test(`${way}: the login deadline runs on during the handshake`, async (t) => {
    const session = await startSession(t, { ...options, limits: { loginTimeoutMs: 500 } });
    const connection = await begin(session.socket);
    t.equal((await octetsUntilClose(connection)).length, 0);
    await session.over();
    t.equal(lastOf(session, 'logout'), 'timeout');
    t.strictSame(eventsOf(session), ['connect', 'logout'], 'the peer is not blamed');
  });

  t.test(`${way}: a signal does not wait for the handshake`, async (t) => {
    const session = await startSession(t, options);
    await begin(session.socket);
    shutDownSessions();
    await session.over();
    t.equal(lastOf(session, 'logout'), 'signal');
    t.strictSame(eventsOf(session), ['connect', 'logout'], 'the peer is not blamed');
  });

  for (const [moment, bytes] of [
    ['before the ClientHello', Buffer.alloc(0)],
    ['within it', Buffer.from([0x16, 3, 1, 2, 0, 1])],
  ] as const) {
    t.test(`${way}: a peer that closes its side ${moment} ends its session`, async (t) => {
      const session = await startSession(t, options);
      const connection = await begin(session.socket);
      connection.end(bytes);
      await session.over();
      t.equal(lastOf(session, 'logout'), 'error');
      t.equal(lastOf(session, 'tls-failed'), 'the peer closed the connection');
    });
  }

  t.test(`${way}: a later session resumes an earlier one's TLS`, async (t) => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const limits: ConnectionOptions = { minVersion: version, maxVersion: version };
      const first = await enter(t, limits);
      t.equal(first.socket.isSessionReused(), false);
      await first.client.command('CAPA');
      // By now TLS 1.3's tickets have come too.
      const held = first.socket.getSession();
      const second = await enter(t, {
        ...limits,
        ...(held === undefined ? {} : { session: held }),
      });
      t.equal(second.socket.isSessionReused(), true, version);
      await second.client.ok('USER ann@example.org');
      await second.client.ok('PASS open sesame');
    }

    async function enter(t: Test, limits: ConnectionOptions): Promise<TlsPeer> {
      const session = await startSession(t, options);
      const inTls = await shakeHands(await begin(session.socket), limits);
      if (way !== 'STLS') await inTls.client.status();
      return inTls;
    }
  });
}

t.test('STLS, and the end of what the peer says right behind it, ends the session', async (t) => {
  // Behind USER, the end is read before STLS is run.
  for (const input of ['STLS\r\n', 'USER ann@example.org\r\nSTLS\r\n', 'STLS\r\n\x16\x03\x01']) {
    const session = await startSession(t, { tls, peer });
    session.socket.end(Buffer.from(input, 'latin1'));
    t.match((await octetsUntilClose(session.socket)).toString(), /\+OK Begin TLS negotiation\r\n$/);
    await session.over();
    t.equal(lastOf(session, 'tls-failed'), 'the peer closed the connection', input);
  }
});

t.test('a client that asks for another handshake gets none', async (t) => {
  const session = await startSession(t, { tls, peer });
  const inTls = await startTls(session.socket, { maxVersion: 'TLSv1.2' });
  const answer = new Promise<Error | null>((resolve) => {
    inTls.socket.on('error', resolve);
    inTls.socket.renegotiate({ rejectUnauthorized: false }, resolve);
  });
  t.match(await answer, { code: 'ERR_SSL_NO_RENEGOTIATION' });
});

t.test('a connection cut in TLS, without close_notify, removes nothing', async (t) => {
  const session = await startSession(t, { tls, peer });
  const inTls = await startTls(session.socket);
  await inTls.client.ok('USER ann@example.org');
  await inTls.client.ok('PASS open sesame');
  await inTls.client.ok('DELE 1');
  session.socket.destroy();
  await session.over();
  t.equal(lastOf(session, 'logout'), 'disconnect');
  t.equal(session.inbox.contents().length, 1);
});

t.test('TLS compression is not offered, and the connection has forward secrecy', async (t) => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { socket } = await startSession(t, { tls, peer });
    const inTls = await startTls(socket, { maxVersion });
    // In TLS 1.3 every key exchange of a full handshake has it, and its suites do not name one.
    const { name } = inTls.socket.getCipher();
    t.match(name, maxVersion === 'TLSv1.2' ? /^ECDHE-/ : /^TLS_/);
  }
});

/** Records of a handshake message that announces 16,777,215 octets. */
function handshakeWithoutEnd(octets: number): Buffer {
  const body = Buffer.alloc(16_384, 0x41);
  const record = Buffer.concat([Buffer.from([0x16, 3, 1, 0x40, 0]), body]);
  const first = Buffer.from(record);
  first.set([1, 0xff, 0xff, 0xff], 5);
  const count = Math.ceil(octets / record.length);
  return Buffer.concat([first, ...Array<Buffer>(count).fill(record)]);
}

t.test("the greeting comes after TLS 1.3's session tickets", async (t) => {
  const session = await startSession(t, { tls, peer, isImplicit: true });
  const socket = connect({ socket: session.socket, rejectUnauthorized: false });
  t.teardown(() => socket.destroy());
  const came: string[] = [];
  socket.on('session', () => came.push('ticket'));
  const greeted = new Promise<void>((resolve) => {
    socket.once('data', () => {
      came.push('greeting');
      resolve();
    });
  });
  await greeted;
  t.strictSame(came, ['ticket', 'ticket', 'greeting']);
});
