// Both ends of real TLS connections on loopback, with certificates that openssl(1) makes.

import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, createServer, type SecureVersion, type TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import {
  clientChannelBindings,
  serverChannelBindings,
  serverEndPoint,
} from '../../../../src/auth/mechanisms/channel-binding.js';
import type { ChannelBindings } from '../../../../src/auth/mechanisms/sasl-mechanism.js';

const skip = !existsSync('/usr/bin/openssl') && 'needs openssl(1)';

function makeCertificate(t: Test, ...algorithm: readonly string[]): { cert: Buffer; key: Buffer } {
  const folder = t.testdir();
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-nodes',
      '-subj',
      '/CN=localhost',
      '-days',
      '1',
      '-out',
      cert,
      '-keyout',
      key,
    ].concat(algorithm),
    { stdio: 'ignore' },
  );
  return { cert: readFileSync(cert), key: readFileSync(key) };
}

const ecdsa = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];

for (const [version, hasExporter] of [
  ['TLSv1.3', true],
  ['TLSv1.2', false],
] as const) {
  t.test(`${version}: server and client have the same bindings`, { skip }, async (t) => {
    const { server, client } = await connectBoth(t, version);
    t.same(server, client);
    t.equal(server['tls-server-end-point']?.length, 32);
    t.equal(server['tls-exporter']?.length, hasExporter ? 32 : undefined);
    if (hasExporter) {
      const other = await connectBoth(t, version);
      t.notSame(other.server['tls-exporter'], server['tls-exporter'], 'differ by connection');
    }
  });
}

async function connectBoth(
  t: Test,
  version: SecureVersion,
): Promise<{ server: ChannelBindings; client: ChannelBindings }> {
  const { cert, key } = makeCertificate(t, ...ecdsa);
  const server = createServer({ cert, key, minVersion: version, maxVersion: version });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepting = once(server, 'secureConnection') as Promise<[TLSSocket]>;
  const client = connect({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    rejectUnauthorized: false,
  });
  await once(client, 'secureConnect');
  const [accepted] = await accepting;
  const bindings = {
    server: serverChannelBindings(accepted),
    client: clientChannelBindings(client),
  };
  client.destroy();
  accepted.destroy();
  server.close();
  await once(server, 'close');
  return bindings;
}

const rows: readonly (readonly [
  title: string,
  algorithm: readonly string[],
  hash: string | undefined,
])[] = [
  ['ECDSA with SHA-256', [...ecdsa, '-sha256'], 'sha256'],
  ['ECDSA with SHA-384', [...ecdsa, '-sha384'], 'sha384'],
  ['ECDSA with SHA-512', [...ecdsa, '-sha512'], 'sha512'],
  ['RSA with SHA-256', ['-newkey', 'rsa:2048', '-sha256'], 'sha256'],
  ['RSA with SHA-512', ['-newkey', 'rsa:2048', '-sha512'], 'sha512'],
  ['RSA with SHA-1', ['-newkey', 'rsa:2048', '-sha1'], 'sha256'],
  [
    'RSASSA-PSS with SHA-384',
    ['-newkey', 'rsa:2048', '-sha384', '-sigopt', 'rsa_padding_mode:pss'],
    'sha384',
  ],
  ['Ed25519', ['-newkey', 'ed25519'], undefined],
];

for (const [title, algorithm, hash] of rows) {
  t.test(`a certificate signed by ${title} is hashed with ${hash ?? 'nothing'}`, { skip }, (t) => {
    const { raw } = new X509Certificate(makeCertificate(t, ...algorithm).cert);
    t.same(
      serverEndPoint(raw),
      hash === undefined ? undefined : createHash(hash).update(raw).digest(),
    );
    t.end();
  });
}

t.test('what is no certificate has no binding', (t) => {
  for (const octets of [
    [],
    [0x30],
    [0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
    [0x30, 0x02, 0x30, 0x00],
  ]) {
    t.equal(serverEndPoint(Buffer.from(octets)), undefined);
  }
  t.end();
});
