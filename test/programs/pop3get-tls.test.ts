// pop3get and TLS that is broken, forged or stripped: not an octet of a login without it, and no way back to clear.

import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SecureContextOptions } from 'node:tls';
import t, { type Test } from 'tap';
import { makeSignedCertificate } from '../support/accounts/certificate-authority.js';
import { makeCertificate, makeCertificateValid } from '../support/accounts/certificate.js';
import {
  drop,
  makeMaildir,
  numberedMessages,
  runPop3get,
  silence,
  startFakeServer,
  type FakeServer,
  type FakeServerOptions,
} from '../support/programs/pop3get-fixture.js';
import { runProgram, type Result } from '../support/programs/run-program.js';
import { testFolder } from '../support/suite/test-folder.js';

const messages = numberedMessages(2);
const withTls = ['USER', 'UIDL', 'STLS'];
const withoutTls = ['USER', 'UIDL'];
const firstAddress = '127.0.0.1';
const nextAddress = '127.0.0.2';

/** What tells the password, or who has one. */
const login = /USER|PASS|AUTH|APOP/;

async function fetch(
  t: Test,
  { port }: FakeServer,
  maildir: string,
  args: readonly string[] = [],
): Promise<Result> {
  const words = ['--byip', '--account', 'ann', '--port', String(port), '--directory', maildir];
  const both = `${firstAddress};${nextAddress}`;
  return runProgram(t, 'pop3get', [...words, ...args, both, 'ann'], {
    env: { POP3GET_PASSWORD: 'secret' },
  });
}

/** Certificate and key of a server, and the option by which it is trusted. */
interface Identity {
  readonly tls: SecureContextOptions;
  readonly trust: readonly string[];
}

function identityFor(
  t: Test,
  name: string,
  how?: Parameters<typeof makeSignedCertificate>[2],
): Identity {
  const { ca, cert, key } = makeSignedCertificate(testFolder(t, {}), [name], how);
  return { tls: { cert: readFileSync(cert), key: readFileSync(key) }, trust: ['--tls-ca', ca] };
}

function selfSigned(files: { readonly cert: string; readonly key: string }): Identity {
  const tls = { cert: readFileSync(files.cert), key: readFileSync(files.key) };
  return { tls, trust: ['--tls-ca', files.cert] };
}

t.test('a trusted certificate for the address: all is fetched, over TLS', async (t) => {
  const { tls, trust } = identityFor(t, firstAddress);
  const server = await startFakeServer(t, { messages, capabilities: withTls, tls });
  const { status, stderr } = await fetch(t, server, makeMaildir(t), trust);
  t.equal(status, 0, stderr);
  t.match(stderr, /tls=true/);
  t.same(server.clearCommands, ['CAPA', 'STLS']);
  t.equal(server.messages.length, 0);
});

interface Row {
  readonly title: string;
  readonly status: number;
  readonly message: RegExp;
  readonly server: (t: Test) => Partial<FakeServerOptions> & Partial<Pick<Identity, 'trust'>>;
}

const rows: readonly Row[] = [
  {
    title: 'a certificate for another host',
    status: 100,
    message: /is not trusted: .*altnames/,
    server: (t) => identityFor(t, 'mail.example.org'),
  },
  {
    title: 'a certificate that has expired',
    status: 100,
    message: /is not trusted: certificate has expired/,
    server: (t) => {
      const times = { from: '20200101000000Z', to: '20200201000000Z' };
      return selfSigned(makeCertificateValid(testFolder(t, {}), { name: 'old', ...times }));
    },
  },
  {
    title: 'a certificate that nobody vouches for',
    status: 100,
    message: /is not trusted: self-signed certificate/,
    server: (t) => ({ tls: selfSigned(makeCertificate(testFolder(t, {}))).tls }),
  },
  {
    title: 'a certificate for clients only',
    status: 100,
    message: /is not trusted: unsuitable certificate purpose/,
    server: (t) => identityFor(t, firstAddress, { purpose: 'clientAuth' }),
  },
  {
    title: 'a certificate signed with SHA-1',
    status: 100,
    message: /is not trusted: CA signature digest algorithm too weak/,
    server: (t) => {
      const { tls, trust } = identityFor(t, firstAddress, { digest: 'sha1' });
      return { tls: { ...tls, ciphers: 'DEFAULT@SECLEVEL=0' }, trust };
    },
  },
  {
    title: 'a certificate that another CA of the same name signed',
    status: 100,
    message: /is not trusted: unable to verify the first certificate/,
    server: (t) => {
      const { tls } = identityFor(t, firstAddress);
      return { tls, trust: identityFor(t, firstAddress).trust };
    },
  },
  {
    title: 'a certificate with a wrong signature',
    status: 100,
    message: /is not trusted: certificate signature failure/,
    server: (t) => {
      const { tls, trust } = identityFor(t, firstAddress);
      return { tls: { ...tls, cert: withWrongSignature(String(tls.cert)) }, trust };
    },
  },
  ...(['TLSv1', 'TLSv1.1'] as const).map((version): Row => ({
    title: `a server that has ${version} only`,
    status: 100,
    message: /TLS failed: .*TLS 1\.2 or later/,
    server: (t) => {
      const { tls, trust } = identityFor(t, firstAddress);
      const old = { minVersion: version, maxVersion: version };
      return { tls: { ...tls, ...old, ciphers: 'DEFAULT@SECLEVEL=0' }, trust };
    },
  })),
  {
    title: '-ERR to STLS',
    status: 100,
    message: /offers STLS and refuses it/,
    server: () => ({ fault: answerTo('STLS', '-ERR not now\r\n') }),
  },
  {
    title: '+OK to STLS, and then no handshake',
    status: 111,
    message: /no TLS handshake in time/,
    server: () => ({ fault: answerTo('STLS', '+OK\r\n') }),
  },
  {
    title: '+OK to STLS, and a reset',
    status: 111,
    message: /TLS/,
    server: () => ({
      fault: (line, _session, socket) => {
        if (line !== 'STLS') return undefined;
        socket.write('+OK\r\n', () => socket.resetAndDestroy());
        return '';
      },
    }),
  },
  {
    title: '+OK to STLS, and replies ahead of the handshake',
    status: 100,
    message: /in clear after agreeing to STLS/,
    server: () => ({ fault: answerTo('STLS', '+OK\r\n+OK\r\n+OK\r\n') }),
  },
  {
    title: '+OK to STLS, and no TLS in what follows',
    status: 111,
    message: /TLS failed: wrong version number/,
    server: () => ({
      fault: (line, _session, socket) => {
        if (line !== 'STLS') return undefined;
        socket.removeAllListeners('data');
        socket.once('data', () => socket.write('+OK what was that?\r\n'));
        return '+OK\r\n';
      },
    }),
  },
  {
    title: 'no answer to STLS',
    status: 111,
    message: /fell silent/,
    server: () => ({ fault: (line) => (line === 'STLS' ? silence : undefined) }),
  },
  {
    title: 'a connection that is lost at STLS',
    status: 111,
    message: /connection/,
    server: () => ({ fault: (line) => (line === 'STLS' ? drop : undefined) }),
  },
];

/** @param pem the signature is what a certificate ends with */
function withWrongSignature(pem: string): string {
  const octets = new X509Certificate(pem).raw;
  octets.writeUInt8(octets.readUInt8(octets.length - 1) ^ 1, octets.length - 1);
  const lines = octets.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function answerTo(command: string, text: string): (line: string) => string | undefined {
  return (line) => (line === command ? text : undefined);
}

for (const { title, status, message, server: describe } of rows) {
  t.test(`${title}: no login here, and none in clear at the next address`, async (t) => {
    const { trust = [], ...options } = describe(t);
    const first = await startFakeServer(t, { messages, capabilities: withTls, ...options });
    const next = await startFakeServer(t, {
      ...{ messages, capabilities: withoutTls },
      ...{ host: nextAddress, port: first.port },
    });
    const result = await fetch(t, first, makeMaildir(t), ['--timeout', '3', ...trust]);
    t.equal(result.status, status, result.stderr);
    t.match(result.stderr, message);
    t.notMatch(result.stderr, /secret|^ +at /m);
    t.notMatch(first.commands.join('\n'), login);
    t.same(next.commands, ['CAPA', 'STLS'], 'the next address is asked for TLS and no more');
  });
}

t.test('the next address may serve when it has TLS', async (t) => {
  const { tls, trust } = identityFor(t, nextAddress);
  const fault = answerTo('STLS', '-ERR not now\r\n');
  const first = await startFakeServer(t, { messages, capabilities: withTls, fault });
  const next = await startFakeServer(t, {
    ...{ messages, capabilities: withTls, tls },
    ...{ host: nextAddress, port: first.port },
  });
  const { status, stderr } = await fetch(t, first, makeMaildir(t), trust);
  t.equal(status, 0, stderr);
  t.notMatch([...first.commands, ...next.clearCommands].join('\n'), login);
  t.equal(next.messages.length, 0);
});

t.test('a handshake is remembered even when the login after it is refused', async (t) => {
  const { tls, trust } = identityFor(t, firstAddress);
  const fault = answerTo('PASS secret', '-ERR no\r\n');
  const secure = await startFakeServer(t, { messages, capabilities: withTls, tls, fault });
  const stripped = await startFakeServer(t, { messages, capabilities: withoutTls });
  const maildir = makeMaildir(t);
  const refused = await fetch(t, secure, maildir, trust);
  t.equal(refused.status, 100);
  t.match(refused.stderr, /refused the login/);
  const later = await fetch(t, stripped, maildir, trust);
  t.equal(later.status, 100);
  t.match(later.stderr, /has no TLS/);
  t.notMatch(stripped.commands.join('\n'), login);
});

t.test('a mere offer of STLS does not keep an account out for good', async (t) => {
  const fault = answerTo('STLS', '-ERR not now\r\n');
  const forged = await startFakeServer(t, { messages, capabilities: withTls, fault });
  const honest = await startFakeServer(t, { messages, capabilities: withoutTls });
  const maildir = makeMaildir(t);
  t.equal((await fetch(t, forged, maildir)).status, 100);
  t.equal((await fetch(t, honest, maildir)).status, 0);
});

t.test('an address without TLS serves in clear where none was seen', async (t) => {
  const first = await startFakeServer(t, { messages, greeting: '-ERR busy\r\n' });
  const next = await startFakeServer(t, {
    ...{ messages, capabilities: withoutTls },
    ...{ host: nextAddress, port: first.port },
  });
  t.equal((await fetch(t, first, makeMaildir(t))).status, 0);
  t.equal(next.messages.length, 0);
});

t.test(
  'a port that is silent before a greeting may want TLS first: the error says so',
  async (t) => {
    const server = await startFakeServer(t, { messages, greeting: '' });
    const { status, stderr } = await fetch(t, server, makeMaildir(t), [
      '--timeout',
      '1',
      '--tls',
      'off',
    ]);
    t.equal(status, 111);
    t.match(stderr, /fell silent before its greeting.*--tls implicit/);
  },
);

t.test('--tls-ca and SSL_CERT_FILE without a whole certificate: named, and 100', async (t) => {
  const { cert } = makeCertificate(testFolder(t, {}));
  const whole = readFileSync(cert, 'latin1');
  for (const [text, message] of [
    ['-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', /holds no PEM certificate/],
    [whole.slice(0, whole.length / 2), /certificate 1 in .* cannot be read/],
    [`${whole}${whole.slice(0, whole.length / 2)}`, /certificate 2 in .* cannot be read/],
  ] as const) {
    const file = join(testFolder(t, { 'ca.pem': text }), 'ca.pem');
    const { status, stderr } = await runPop3get(t, 1, makeMaildir(t), ['--tls-ca', file]);
    t.equal(status, 100);
    t.match(stderr, message);
  }
  const env = { POP3GET_PASSWORD: 'secret', SSL_CERT_FILE: '/nonexistent' };
  const args = ['--directory', makeMaildir(t), '127.0.0.1', 'ann'];
  const { status, stderr } = await runProgram(t, 'pop3get', args, { env });
  t.equal(status, 100);
  t.match(stderr, /SSL_CERT_FILE: \/nonexistent: no such file/);
});

t.test('SSL_CERT_FILE says which CAs count', async (t) => {
  const { tls, trust } = identityFor(t, firstAddress);
  const server = await startFakeServer(t, { messages, capabilities: withTls, tls });
  const args = ['--port', String(server.port), '--directory', makeMaildir(t), firstAddress, 'ann'];
  const env = { POP3GET_PASSWORD: 'secret', SSL_CERT_FILE: trust[1] ?? '' };
  const { status, stderr } = await runProgram(t, 'pop3get', args, { env });
  t.equal(status, 0, stderr);
});
