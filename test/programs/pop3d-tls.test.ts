// pop3d with a certificate, as a program: TLS over every kind of connection, faulty files, and who may do without TLS.

import { X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  makeCertificate,
  makeCertificateValid,
  joinIntoOnePem,
} from '../support/accounts/certificate.js';
import { tryFindProgram, unlessInstalled, unlessRoot } from '../support/peers/debian.js';
import { makeInbox } from '../support/mail/maildir-fixture.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import {
  builtProgram,
  runCommand,
  runProgram,
  type Result,
} from '../support/programs/run-program.js';
import { shakeHands, startTls } from '../support/sessions/tls-conversation.js';
import { transports } from '../support/sessions/tls-transports.js';

// Not in the test's own folder: the paths of its sockets would be too long.
const folder = mkdtempSync(join(tmpdir(), 'pop3d-tls-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const { cert, key } = makeCertificate(folder);
const files = ['--tls-cert', cert, '--tls-key', key];
/** Longer than a test may last. */
const longTime = ['--handshake-timeout', '300', '--login-timeout', '300'];
const user = 'ann@example.org';
const password = 'open sesame';

function makeMailRoot(t: Test): string {
  const cwd = mkdtempSync(join(folder, 'mail-'));
  makePasswordDatabase(join(cwd, 'passdb.sqlite'), { [user]: password });
  makeInbox(cwd, user).add('Subject: hello\n\nworld\n');
  t.teardown(() => rmSync(cwd, { recursive: true, force: true }));
  return cwd;
}

for (const { title, start } of transports) {
  for (const way of ['STLS', 'TLS from the first octet'] as const) {
    t.test(`${way} over ${title}`, async (t) => {
      const args = way === 'STLS' ? files : [...files, '--tls'];
      const { program, connection } = await start(t, args, makeMailRoot(t));
      const inTls = await (way === 'STLS' ? startTls(connection) : shakeHands(connection));
      const { client } = inTls;
      if (way !== 'STLS') await client.status();
      await client.ok(`USER ${user}`);
      await client.ok(`PASS ${password}`);
      t.equal((await client.message('RETR 1')).toString(), 'Subject: hello\r\n\r\nworld\r\n');
      await client.ok('QUIT');
      t.equal((await client.rest()).length, 0);
      inTls.socket.destroy();
      t.equal((await program.ending).status, 0);
      t.match(program.stderr, /^pop3d: login .*tls=TLSv1\.3/m);
      t.match(program.stderr, /^pop3d: logout .*reason=quit/m);
    });
  }
}

for (const { title, start } of transports) {
  t.test(`a client that closes its side instead of shaking hands, over ${title}`, async (t) => {
    for (const [args, input] of [
      [files, 'STLS\r\n'],
      [[...files, '--tls'], '\x16\x03\x01\x02'],
      [[...files, '--tls'], ''],
    ] as const) {
      const { program, connection } = await start(t, [...args, ...longTime], makeMailRoot(t));
      connection.on('error', () => undefined).resume();
      connection.end(Buffer.from(input, 'latin1'));
      t.equal((await program.ending).status, 0);
      t.match(program.stderr, /^pop3d: tls-failed .*error="the peer closed the connection"$/m);
    }
  });
}

t.test('the files can come from the environment, and be one', async (t) => {
  const pem = joinIntoOnePem({ cert, key }, join(folder, 'both.pem'));
  const cwd = makeMailRoot(t);
  const input = 'CAPA\r\nQUIT\r\n';
  const { status, stdout, stderr } = await runProgram(t, 'pop3d', [], {
    cwd,
    env: { TLS_CERT: pem },
    input,
  });
  t.equal(status, 0);
  t.match(stdout.toString(), /^STLS\r$/m);
  t.notMatch(stderr, /warning/);
});

t.test('a key that others can read is a warning, and works', async (t) => {
  const open = makeCertificate(folder, { name: 'open' });
  chmodSync(open.key, 0o644);
  const { status, stdout, stderr } = await refusing(t, open.cert, open.key);
  t.equal(status, 0);
  t.match(stdout.toString(), /^\+OK/);
  t.match(stderr, new RegExp(`^pop3d: warning .*${open.key}`, 'm'));
});

const other = makeCertificate(folder, { name: 'other' });
const rsa = makeCertificate(folder, { name: 'rsa', keyType: 'rsa:2048' });
const expired = makeCertificateValid(folder, {
  name: 'expired',
  from: '20200101000000Z',
  to: '20200102000000Z',
});
const early = makeCertificateValid(folder, {
  name: 'early',
  from: '20980101000000Z',
  to: '20990101000000Z',
});
const weak = makeCertificate(folder, { name: 'weak', keyType: 'rsa:512' });
const garbage = join(folder, 'garbage.pem');
writeFileSync(garbage, 'no certificate\n');
const broken = join(folder, 'broken.pem');
writeFileSync(broken, readFileSync(cert, 'latin1').replace(/[A-Za-z]{20}/, 'AAAA'));

for (const [title, certificate, privateKey, named, reason] of [
  ['a certificate file that does not exist', join(folder, 'none.crt'), key, 'none.crt', /no such/],
  ['a key file that does not exist', cert, join(folder, 'none.key'), 'none.key', /no such/],
  ['a folder in the place of the certificate', folder, key, folder, /EISDIR|directory/],
  ['a file that is no certificate', garbage, key, 'garbage.pem', /certificate/],
  ['a damaged certificate', broken, key, 'broken.pem', /certificate/],
  ['a key in the place of the certificate', key, key, 'server.key', /certificate/],
  ['a file that is no key', cert, garbage, 'garbage.pem', /no key/],
  ['a key of another type', cert, rsa.key, 'rsa.key', /no key for the certificate/],
  ['the key of another certificate', cert, other.key, 'other.key', /no key for the certificate/],
  ['an expired certificate', expired.cert, expired.key, 'expired.crt', /expired on Jan +2 .*2020/],
  ['a certificate of the future', early.cert, early.key, 'early.crt', /not valid before .*2098/],
  ['a key too short to be safe', weak.cert, weak.key, 'weak.crt', /key too small/],
] as const) {
  t.test(`${title} is named, before a word to the client, and exits 100`, async (t) => {
    for (const way of [[], ['--tls']]) {
      const { status, stdout, stderr } = await refusing(t, certificate, privateKey, way);
      t.equal(status, 100);
      t.equal(stdout.length, 0);
      t.match(stderr, named);
      t.match(stderr, reason);
      t.notMatch(stderr, /^ +at /m, 'without a stack trace');
    }
  });
}

t.test(
  'an unreadable key is named',
  { skip: unlessRoot() || unlessInstalled('setpriv') },
  async (t) => {
    chmodSync(folder, 0o755);
    const { status, stderr } = await runCommand(t, tryFindProgram('setpriv') ?? '', [
      ...['--reuid=65534', '--clear-groups', process.execPath, builtProgram('pop3d')],
      ...['--tls-cert', cert, '--tls-key', key],
    ]);
    t.equal(status, 100);
    t.match(stderr, /server\.key.*EACCES|server\.key.*permission/);
  },
);

t.test('--tls and --tls-key without --tls-cert are usage errors', async (t) => {
  for (const args of [['--tls'], ['--tls-key', key]]) {
    const { status, stderr } = await runProgram(t, 'pop3d', args);
    t.equal(status, 100);
    t.match(stderr, '--tls-cert');
  }
});

t.test("a peer's address in the environment decides who may do without TLS", async (t) => {
  for (const [env, isWelcome] of [
    [{ TCPREMOTEIP: '127.0.0.1' }, true],
    [{ REMOTE_ADDR: '::1' }, true],
    [{ REMOTE_HOST: '::ffff:127.0.0.1' }, true],
    [{ REMOTE_ADDR: '192.0.2.1' }, false],
    [{ TCPREMOTEIP: '2001:db8::1' }, false],
    [{}, false],
  ] as const) {
    const { stdout } = await runProgram(t, 'pop3d', files, {
      cwd: makeMailRoot(t),
      env,
      input: `USER ${user}\r\nQUIT\r\n`,
    });
    const replies = stdout.toString().split('\r\n');
    t.match(replies[1], isWelcome ? /^\+OK/ : /^-ERR \[AUTH\] Logins need encryption/);
  }
});

t.test(
  'a peer from another machine needs TLS, whatever the environment says',
  { skip: unlessRoot() || unlessInstalled('ip', 'unshare', 'curl') },
  async (t) => {
    const cwd = makeMailRoot(t);
    // A network of its own: the server's address is 192.0.2.1, on the loopback interface, and no loopback address.
    const script = `
      set -e
      ip link set lo up
      ip address add 192.0.2.1/32 dev lo
      ${process.execPath} ${builtProgram('tcpsrun')} 192.0.2.1 1100 run 2>log &
      server=$!
      trap 'kill $server' EXIT
      until grep -q listening log; do kill -0 $server; read -t 0.05 <> <(:) || :; done
      curl -s -S pop3://192.0.2.1:1100/ -u '${user}:${password}' 2>&1 || echo "refused $?"
      curl -s -S --ssl-reqd --insecure pop3://192.0.2.1:1100/ -u '${user}:${password}'
    `;
    writeFileSync(
      join(cwd, 'run'),
      [
        'setenv REMOTE_ADDR 127.0.0.1',
        `program ${process.execPath}`,
        'argument node',
        ...[builtProgram('pop3d'), ...files].map((argument) => `argument ${argument}`),
        '',
      ].join('\n'),
    );
    const { stdout, stderr } = await runCommand(t, 'unshare', ['--net', 'bash', '-c', script], {
      cwd,
    });
    t.match(
      stdout.toString(),
      /refused \d+\n1 25\r\n$/,
      stderr + readFileSync(join(cwd, 'log'), 'utf8'),
    );
  },
);

t.test('the made-up salt of an unknown user is the same in every process', async (t) => {
  const cwd = mkdtempSync(join(folder, 'salt-'));
  // The secret behind the salts is in what passdb writes.
  const added = await runProgram(t, 'passdb', ['add', user, '--scheme', 'SCRAM-SHA-256'], {
    cwd,
    input: `${password}\n`,
  });
  t.equal(added.status, 0);
  const saltOf = async (name: string): Promise<string | undefined> => {
    const first = Buffer.from(`n,,n=${name},r=abc`).toString('base64');
    const input = `AUTH SCRAM-SHA-256 ${first}\r\n*\r\nQUIT\r\n`;
    const { stdout } = await runProgram(t, 'pop3d', [], { cwd, input });
    const [, challenge = ''] = /^\+ (.*)\r$/m.exec(stdout.toString()) ?? [];
    return /,(s=.+)$/.exec(Buffer.from(challenge, 'base64').toString())?.[1];
  };
  const [one, again, another] = [
    await saltOf('nobody@example.org'),
    await saltOf('nobody@example.org'),
    await saltOf('noone@example.org'),
  ];
  t.match(one, /^s=[A-Za-z0-9+/]{22}==,i=\d+$/);
  t.equal(one, again);
  t.not(one, another);
});

t.test('of several certificates the client gets the one for the name it asks for', async (t) => {
  const second = makeCertificate(folder, { name: 'second', host: 'mail.example.net' });
  const args = [...files, '--tls-cert', second.cert, '--tls-key', second.key, '--tls'];
  const [{ start } = { start: undefined }] = transports;
  if (start === undefined) throw new Error('no transport');
  for (const [servername, shown] of [
    ['mail.example.net', second.cert],
    ['localhost', cert],
    ['unknown.example', cert],
  ] as const) {
    const { program, connection } = await start(t, args, makeMailRoot(t));
    const { socket, client } = await shakeHands(connection, { servername });
    t.match(await client.status(), /^\+OK/);
    const { fingerprint256 } = new X509Certificate(readFileSync(shown));
    t.equal(socket.getPeerCertificate().fingerprint256, fingerprint256, servername);
    await client.ok('QUIT');
    socket.destroy();
    t.equal((await program.ending).status, 0);
  }
  const result = await refusing(t, cert, key, ['--tls-cert', second.cert]);
  t.equal(result.status, 100);
  t.match(result.stderr, /option --tls-key is given 1 times and --tls-cert 2 times/);
});

function refusing(
  t: Test,
  certificate: string,
  privateKey: string,
  more: readonly string[] = [],
): Promise<Result> {
  const args = ['--tls-cert', certificate, '--tls-key', privateKey, ...more];
  return runProgram(t, 'pop3d', args, { cwd: folder, input: 'QUIT\r\n' });
}
