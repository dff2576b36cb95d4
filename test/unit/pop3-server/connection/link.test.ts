import t from 'tap';
import { clearLink } from '../../../../src/pop3-server/connection/link.js';
import { loadServerTls } from '../../../../src/system/tls/tls-server.js';
import { makeCertificate } from '../../../support/accounts/certificate.js';

const { cert, key } = makeCertificate(t.testdir({}));
const tls = loadServerTls(cert, key);

for (const [title, given, expected] of [
  ['no certificate', { tls: null, allowsCleartext: false, isLoopback: false }, [false, true]],
  ['a certificate', { tls, allowsCleartext: false, isLoopback: false }, [true, false]],
  ['a peer on this machine', { tls, allowsCleartext: false, isLoopback: true }, [true, true]],
  ['cleartext allowed', { tls, allowsCleartext: true, isLoopback: false }, [true, true]],
] as const) {
  t.test(`in the clear, with ${title}`, (t) => {
    const { isLoopback, ...security } = given;
    const link = clearLink({ ...security, isImplicit: false }, isLoopback);
    t.strictSame([link.canStartTls, link.allowsLogin], expected);
    t.strictSame([link.tlsVersion, link.channelBindings], [null, null]);
    t.end();
  });
}
