// What an auditor's scanner finds: sslscan over STLS and over pop3s.

import { join } from 'node:path';
import t from 'tap';
import { loadServerTls } from '../../src/system/tls/tls-server.js';
import { makeCertificate } from '../support/accounts/certificate.js';
import { expectProgram, unlessInstalled } from '../support/peers/debian.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { runCommand } from '../support/programs/run-program.js';
import { startSessionServer } from '../support/programs/session-server.js';
import { testFolder } from '../support/suite/test-folder.js';

for (const isImplicit of [false, true]) {
  const title = isImplicit ? 'pop3s' : 'STLS';
  t.test(
    `sslscan finds no weak protocol or cipher, ${title}`,
    { skip: unlessInstalled('sslscan', 'openssl') },
    async (t) => {
      const folder = testFolder(t, {});
      const { cert, key } = makeCertificate(folder, { keyType: 'rsa:2048' });
      const passdb = join(folder, 'passdb.sqlite');
      makePasswordDatabase(passdb, {});
      const port = await startSessionServer(t, {
        security: { tls: loadServerTls(cert, key), isImplicit, allowsCleartext: false },
        passdb,
        inbox: join(folder, 'INBOX'),
      });
      const { stdout, status } = await runCommand(t, expectProgram('sslscan'), [
        ...['--no-colour', ...(isImplicit ? [] : ['--starttls-pop3']), `127.0.0.1:${port}`],
      ]);
      t.equal(status, 0);
      const report = stdout.toString();
      for (const protocol of ['SSLv2', 'SSLv3', 'TLSv1.0', 'TLSv1.1']) {
        t.match(report, new RegExp(`^${protocol} +disabled$`, 'm'));
      }
      for (const protocol of ['TLSv1.2', 'TLSv1.3']) {
        t.match(report, new RegExp(`^${protocol} +enabled$`, 'm'));
      }
      t.match(report, /^Session renegotiation not supported$/m);
      t.notMatch(report, /(?<!not )vulnerable/);
      const suites = [...report.matchAll(/^(?:Preferred|Accepted) +TLS\S+ +\d+ bits +(\S+)/gm)].map(
        ([, suite = '']) => suite,
      );
      t.ok(suites.length >= 6, 'of both versions');
      for (const suite of suites) {
        t.match(suite, /^(?:TLS_|ECDHE-).*(?:GCM|POLY1305)/, 'forward secrecy, authenticated');
      }
    },
  );
}
