// One row, two servers: what passdb stored for SCRAM logs in, over TLS, to pop3d and to Dovecot alike.

import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { scramClient } from '../../src/auth/mechanisms/sasl-client.js';
import { authenticate } from '../support/sessions/authenticate.js';
import { makeCertificate } from '../support/accounts/certificate.js';
import { unlessInstalled } from '../support/peers/debian.js';
import { startDovecot, unlessDovecot } from '../support/peers/dovecot.js';
import { runProgram } from '../support/programs/run-program.js';
import { startTls } from '../support/sessions/tls-conversation.js';
import { startTlsMailServer } from '../support/programs/tls-mail-server.js';

const nobody = 65534;

for (const scheme of ['SCRAM-SHA-256', 'PLAIN']) {
  t.test(
    `a {${scheme}} row logs in with SCRAM-SHA-256 to pop3d and to Dovecot`,
    { skip: unlessDovecot() || unlessInstalled('openssl') },
    async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'scram-'));
      t.teardown(() => rmSync(folder, { recursive: true, force: true }));
      chmodSync(folder, 0o755);
      const mailRoot = join(folder, 'mail');
      mkdirSync(mailRoot);
      chownSync(mailRoot, nobody, nobody);
      const passdb = join(mailRoot, 'passdb.sqlite');
      const args = ['--passdb', passdb, 'add', 'ann@example.org', '--scheme', scheme];
      const added = await runProgram(t, 'passdb', args, { input: 'pä55 word\n' });
      t.equal(added.status, 0, added.stderr);
      const files = makeCertificate(folder);
      const mechanisms = ['plain', 'scram-sha-256'];
      const dovecot = await startDovecot(t, { mailRoot, passdb, mechanisms, tls: files });
      const ours = await startTlsMailServer(t, 'stls', { mailRoot, ...files });
      for (const port of [ours.port, dovecot.pop3Port]) {
        for (const [password, expected] of [
          ['wrong', /^-ERR \[AUTH\]/],
          ['pä55 word', /^\+OK/],
        ] as const) {
          const { client, socket } = await startTls(connect({ port, host: '127.0.0.1' }));
          const scram = scramClient({
            username: 'ann@example.org',
            password: Buffer.from(password),
            binding: { kind: 'none' },
          });
          t.match(
            await authenticate(client, scram),
            expected,
            port === ours.port ? 'pop3d' : 'Dovecot',
          );
          socket.destroy();
        }
      }
    },
  );
}
