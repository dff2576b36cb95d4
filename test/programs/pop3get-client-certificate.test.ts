// pop3get and a server that wants to see the client's certificate.

import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import t from 'tap';
import { makeSignedCertificate } from '../support/accounts/certificate-authority.js';
import { unlessInstalled } from '../support/peers/debian.js';
import {
  FakeServer,
  makeMaildir,
  numberedMessages,
  runPop3get,
} from '../support/programs/pop3get-fixture.js';

t.test(
  'a server that asks for a certificate gets the one that is given, and refuses others',
  { skip: unlessInstalled('openssl') },
  async (t) => {
    const files = makeSignedCertificate(t.testdir(), ['127.0.0.1']);
    const [cert, key, ca] = [files.cert, files.key, files.ca].map((path) =>
      readFileSync(path, 'latin1'),
    );
    const fake = new FakeServer({ messages: numberedMessages(2) });
    const names: unknown[] = [];
    const server = createServer(
      { cert, key, ca, requestCert: true, rejectUnauthorized: true },
      (socket) => {
        names.push(socket.getPeerCertificate().subject.CN);
        fake.serve(socket);
      },
    );
    server.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => server.close());
    const { port } = server.address() as AddressInfo;
    const tls = ['--tls', 'implicit', '--tls-ca', files.ca];
    const own = ['--tls-cert', files.cert, '--tls-key', files.key];
    const maildir = makeMaildir(t);
    const shown = await runPop3get(t, port, maildir, [...tls, ...own]);
    t.equal(shown.status, 0, shown.stderr);
    t.same(names, ['server']);
    t.equal(fake.messages.length, 0);
    const missing = await runPop3get(t, port, maildir, tls);
    t.not(missing.status, 0);
    t.same(names, ['server'], 'nobody else got in');

    const half = await runPop3get(t, port, maildir, [...tls, '--tls-cert', files.cert]);
    t.match(half.stderr, /--tls-cert and --tls-key go together/);

    const other = join(maildir, 'other.key');
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    for (const [text, why] of [
      ['no key\n', `${other} holds no PEM key that can be read without a passphrase\n`],
      [privateKey.export({ type: 'pkcs8', format: 'pem' }), `${other} is no key for the certif`],
    ] as const) {
      writeFileSync(other, text);
      const wrong = [...tls, '--tls-cert', files.cert, '--tls-key', other];
      const { status, stderr } = await runPop3get(t, port, maildir, wrong);
      t.equal(status, 100);
      t.match(stderr, `--tls-key: ${why}`);
    }
  },
);
