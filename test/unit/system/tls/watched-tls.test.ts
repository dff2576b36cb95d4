import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import t, { type Test } from 'tap';
import type { ServerTls } from '../../../../src/system/tls/tls-server.js';
import { watchServerTls } from '../../../../src/system/tls/watched-tls.js';
import { makeCertificate } from '../../../support/accounts/certificate.js';
import { makeDuplexPair } from '../../../support/sessions/duplex-pair.js';

const folder = t.testdir({});
const old = makeCertificate(folder, { name: 'old' });
const renewed = makeCertificate(folder, { name: 'renewed', keyType: 'rsa:2048' });

/** Shakes hands. @returns the fingerprint of the certificate that the client saw */
async function fingerprint(t: Test, server: ServerTls): Promise<string> {
  const [client, peer] = makeDuplexPair();
  const secured = connect({ socket: client, rejectUnauthorized: false });
  for (const stream of [client, peer, secured]) stream.on('error', () => undefined);
  const socket = await server.accept(peer, 10_000);
  t.teardown(() => {
    secured.destroy();
    socket.destroy();
  });
  return secured.getPeerCertificate().fingerprint256;
}

t.test('a renewal in two steps: the old pair stays until the new one is whole', async (t) => {
  const [cert, key] = [join(folder, 'a.crt'), join(folder, 'a.key')];
  copyFileSync(old.cert, cert);
  copyFileSync(old.key, key);
  const told: string[] = [];
  const server = watchServerTls([{ certificateFile: cert, keyFile: key }], {
    onReload: () => told.push('reload'),
    onWarning: (why) => told.push(why),
  });
  const first = await fingerprint(t, server);
  copyFileSync(renewed.cert, cert);
  t.equal(await fingerprint(t, server), first);
  t.equal(await fingerprint(t, server), first);
  const problem = `${key}: no key for the certificate in ${cert}; the certificate that was loaded before stays in use`;
  t.same(told, [problem], 'told once');
  copyFileSync(renewed.key, key);
  const second = await fingerprint(t, server);
  t.not(second, first);
  t.equal(await fingerprint(t, server), second);
  t.same(told, [problem, 'reload']);
});

t.test('a pair that does not fit is an error at the start', (t) => {
  for (const [cert, key] of [
    [old.cert, renewed.key],
    [renewed.cert, old.key],
  ] as const) {
    const reports = { onReload: () => undefined, onWarning: () => undefined };
    t.throws(() => watchServerTls([{ certificateFile: cert, keyFile: key }], reports), {
      name: 'ConfigurationError',
      message: `${key}: no key for the certificate in ${cert}`,
    });
  }
  t.end();
});
