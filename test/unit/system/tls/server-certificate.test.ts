// What pop3d makes of faulty files is in test/programs/pop3d-tls.test.ts.

import t from 'tap';
import { loadServerCertificate } from '../../../../src/system/tls/server-certificate.js';
import { makeCertificate } from '../../../support/accounts/certificate.js';

const folder = t.testdir({});

for (const [host, names] of [
  [
    'mail.example.org',
    { 'mail.example.org': true, 'MAIL.example.ORG': true, 'example.org': false },
  ],
  ['*.example.org', { 'mail.example.org': true, 'a.b.example.org': false, 'example.org': false }],
] as const) {
  t.test(`a certificate for ${host} is for the names that it covers`, (t) => {
    const { cert, key } = makeCertificate(folder, { name: host.replace('*', 'any'), host });
    const certificate = loadServerCertificate({ certificateFile: cert, keyFile: key });
    for (const [name, isFor] of Object.entries(names))
      t.equal(certificate.isFor(name), isFor, name);
    t.end();
  });
}
