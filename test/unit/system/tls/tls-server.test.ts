// What sessions show of it is in test/session/tls-*.test.ts, what pop3d makes of faulty files in test/programs/.

import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import t from 'tap';
import {
  clientChannelBindings,
  serverChannelBindings,
} from '../../../../src/auth/mechanisms/channel-binding.js';
import { loadServerCertificate } from '../../../../src/system/tls/server-certificate.js';
import { loadServerTls, serverTls, type ServerTls } from '../../../../src/system/tls/tls-server.js';
import {
  joinIntoOnePem,
  makeCertificate,
  type KeyType,
} from '../../../support/accounts/certificate.js';
import { makeDuplexPair } from '../../../support/sessions/duplex-pair.js';

const folder = t.testdir({});

for (const keyType of ['ec', 'rsa:2048', 'ed25519'] satisfies KeyType[]) {
  t.test(`a certificate of type ${keyType} shakes hands over any duplex stream`, async (t) => {
    const files = makeCertificate(folder, { name: keyType.replace(':', ''), keyType });
    const server = loadServerTls(files.cert, files.key);
    t.strictSame(server.warnings, []);
    const [client, peer] = makeDuplexPair();
    client.on('error', () => undefined);
    peer.on('error', () => undefined);
    const secured = connect({ socket: client, rejectUnauthorized: false });
    const socket = await server.accept(peer, 10_000);
    secured.on('data', (bytes: Buffer) => secured.write(bytes));
    socket.write('there and back');
    const echo = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
    t.equal(echo.toString(), 'there and back');
    secured.destroy();
    socket.destroy();
  });
}

t.test('a key that only its owner and group can read is no reason for a warning', (t) => {
  const files = makeCertificate(folder, { name: 'mode' });
  for (const [mode, count] of [
    [0o600, 0],
    [0o640, 0],
    [0o644, 1],
    [0o604, 1],
  ] as const) {
    chmodSync(files.key, mode);
    t.equal(loadServerTls(files.cert, files.key).warnings.length, count, mode.toString(8));
  }
  t.end();
});

t.test('certificate and key may be one file; a file that is not there is named', (t) => {
  const pem = joinIntoOnePem(makeCertificate(folder, { name: 'one' }), join(folder, 'one.pem'));
  t.strictSame(loadServerTls(pem, pem).warnings, []);
  const missing = join(folder, 'none.key');
  t.throws(() => loadServerTls(pem, missing), { message: /none\.key/ });
  t.throws(() => loadServerTls(missing, pem), { message: /none\.key/ });
  t.end();
});

t.test('a handshake that takes too long destroys the connection', async (t) => {
  const [waiting, silent] = makeDuplexPair();
  waiting.on('error', () => undefined);
  await t.rejects(load('slow').accept(silent, 20), { message: 'the handshake took too long' });
  t.ok(silent.destroyed);
});

for (const [moment, leave] of [
  ['during the handshake', (client: Duplex) => setImmediate(() => client.end())],
  ['before it, unread', (client: Duplex) => client.end()],
  [
    'before it, and that was read',
    async (client: Duplex, peer: Duplex) => {
      peer.resume();
      client.end();
      await once(peer, 'end');
    },
  ],
  [
    'and hangs up before it',
    async (_: Duplex, peer: Duplex) => {
      peer.destroy();
      await once(peer, 'close');
    },
  ],
] as const) {
  t.test(`a peer that closes its side ${moment} cannot finish it`, async (t) => {
    const server = load('leaving');
    const [client, peer] = makeDuplexPair();
    client.on('error', () => undefined);
    await leave(client, peer);
    await t.rejects(server.accept(peer, 300_000), { message: 'the peer closed the connection' });
    t.ok(peer.destroyed);
  });
}

t.test("of OpenSSL's errors the reason is told, and nothing about memory and source", async (t) => {
  const [client, peer] = makeDuplexPair();
  client.on('error', () => undefined).resume();
  client.write('GET / HTTP/1.1\r\n\r\n');
  await t.rejects(load('request').accept(peer, 300_000), { message: /^[a-z ]+$/ });
});

t.test('of several certificates the client sees the one for the name it asks for', async (t) => {
  const certificates = ['a.example', '*.b.example'].map((host, index) => {
    const { cert, key } = makeCertificate(folder, { name: `sni-${index}`, host });
    return loadServerCertificate({ certificateFile: cert, keyFile: key });
  });
  const [first, second] = certificates;
  if (first === undefined || second === undefined) throw new Error('no certificates');
  const server = serverTls(() => [first, second]);
  for (const [asked, shown] of [
    ['a.example', first],
    ['mail.b.example', second],
    ['MAIL.B.EXAMPLE', second],
    ['unknown.example', first],
    [undefined, first],
  ] as const) {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const [client, peer] = makeDuplexPair();
      const name = asked === undefined ? {} : { servername: asked };
      const secured = connect({ socket: client, rejectUnauthorized: false, maxVersion, ...name });
      for (const stream of [client, peer, secured]) stream.on('error', () => undefined);
      const socket = await server.accept(peer, 300_000);
      t.equal(secured.getPeerCertificate().fingerprint256, shown.identity, asked ?? 'no name');
      const bound = serverChannelBindings(socket)['tls-server-end-point'];
      t.same(bound, clientChannelBindings(secured)['tls-server-end-point'], 'it binds to that one');
      secured.destroy();
      socket.destroy();
    }
  }
});

function load(name: string): ServerTls {
  const { cert, key } = makeCertificate(folder, { name });
  return loadServerTls(cert, key);
}
