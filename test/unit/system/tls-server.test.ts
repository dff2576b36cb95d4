// What sessions show of it is in test/session/tls-*.test.ts, what pop3d makes of faulty files in test/programs/.

import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import t from 'tap';
import { loadServerTls } from '../../../src/system/tls-server.js';
import { joinIntoOnePem, makeCertificate, type KeyType } from '../../support/certificate.js';
import { makeDuplexPair } from '../../support/duplex-pair.js';

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

t.test(
  'a handshake that takes too long, or that a peer leaves, destroys the connection',
  async (t) => {
    const files = makeCertificate(folder, { name: 'slow' });
    const server = loadServerTls(files.cert, files.key);
    const [waiting, silent] = makeDuplexPair();
    waiting.on('error', () => undefined);
    await t.rejects(server.accept(silent, 20), { message: 'the handshake took too long' });
    t.ok(silent.destroyed);
    const [leaving, left] = makeDuplexPair();
    leaving.on('error', () => undefined);
    const accepted = server.accept(left, 10_000);
    leaving.end();
    await t.rejects(accepted);
    t.ok(left.destroyed);
  },
);
