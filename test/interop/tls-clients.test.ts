// Other people's clients over TLS: tcpsrun and pop3d with a certificate on one side; curl, openssl, fetchmail, mpop and
// Python on the other, each of which verifies the certificate. pop3d's log says what was agreed on.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { asSent } from '../support/mail/as-sent.js';
import { makeCertificate, type CertificateFiles } from '../support/accounts/certificate.js';
import { expectProgram, unlessInstalled } from '../support/peers/debian.js';
import { makeInbox, type MaildirFixture } from '../support/mail/maildir-fixture.js';
import { ordinaryMessages } from '../support/mail/ordinary-messages.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { runCommand, type Result } from '../support/programs/run-program.js';
import { startTlsMailServer, type TlsMailServer } from '../support/programs/tls-mail-server.js';

const messages = ordinaryMessages();
const user = 'ann@example.org';
const password = 'open sesame';

interface Served extends TlsMailServer {
  readonly inbox: MaildirFixture;
  /** A folder for the client's own files. */
  readonly folder: string;
  readonly files: CertificateFiles;
}

const ways = [
  { way: 'stls', title: 'STLS' },
  { way: 'implicit', title: 'pop3s' },
] as const;

type Way = (typeof ways)[number]['way'];

async function serve(t: Test, way: Way): Promise<Served> {
  const folder = testFolder(t, {});
  const mailRoot = join(folder, 'mail');
  const inbox = makeInbox(mailRoot, user);
  for (const message of messages) inbox.add(message);
  makePasswordDatabase(join(mailRoot, 'passdb.sqlite'), { [user]: password });
  const files = makeCertificate(folder);
  return { ...(await startTlsMailServer(t, way, { mailRoot, ...files })), inbox, folder, files };
}

/** Waits for pop3d's line of a login in TLS. @param mechanism as the log has it */
async function expectLogin(t: Test, { program }: Served, mechanism: string): Promise<void> {
  const [line] = await program.logLine(/pop3d: login .*/);
  t.match(line, `mechanism=${mechanism} `);
  t.match(line, /tls=TLSv1\.[23]/);
}

for (const { way, title } of ways) {
  t.test(`curl, ${title}`, { skip: unlessInstalled('curl', 'openssl') }, async (t) => {
    const served = await serve(t, way);
    const url = `${way === 'stls' ? 'pop3' : 'pop3s'}://localhost:${served.port}/`;
    const curl = async (...args: readonly string[]): Promise<Buffer> => {
      const result = await runCommand(t, expectProgram('curl'), [
        ...['--silent', '--show-error', '--ipv4', '--ssl-reqd', '--cacert', served.files.cert],
        ...['-u', `${user}:${password}`, ...args],
      ]);
      t.equal(result.status, 0, result.stderr);
      return result.stdout;
    };
    t.equal((await curl(url)).toString().split('\r\n').length, messages.length + 1);
    await expectLogin(t, served, 'PLAIN');
    const [first = Buffer.alloc(0)] = messages;
    t.ok((await curl('--login-options', 'AUTH=LOGIN', `${url}1`)).equals(asSent(first)));
    await curl('--login-options', 'AUTH=PLAIN', '--list-only', '--request', 'DELE', `${url}1`);
    t.equal(served.inbox.contents().length, messages.length - 1);
    t.match(served.program.stderr, /mechanism=LOGIN /);
  });

  t.test(`openssl s_client, ${title}`, { skip: unlessInstalled('openssl') }, async (t) => {
    const served = await serve(t, way);
    const { stdout, status, stderr } = await runCommand(
      t,
      expectProgram('openssl'),
      [
        ...['s_client', '-quiet', '-crlf', '-connect', `127.0.0.1:${served.port}`],
        ...['-CAfile', served.files.cert, '-verify_return_error', '-verify_ip', '127.0.0.1'],
        ...(way === 'stls' ? ['-starttls', 'pop3'] : []),
      ],
      { input: `USER ${user}\nPASS ${password}\nSTAT\nRETR 1\nQUIT\n` },
    );
    t.equal(status, 0, stderr);
    const [first = Buffer.alloc(0)] = messages;
    t.match(stdout.toString('latin1'), asSent(first).toString('latin1'));
    await expectLogin(t, served, 'USER');
  });

  t.test(`fetchmail, ${title}`, { skip: unlessInstalled('fetchmail', 'openssl') }, async (t) => {
    const served = await serve(t, way);
    const home = join(served.folder, 'fetchmail');
    mkdirSync(home);
    const control = join(home, 'fetchmailrc');
    const deliver = join(home, 'deliver');
    writeFileSync(deliver, `cat >'${home}/message'.$$\n`);
    writeFileSync(
      control,
      [
        'set invisible',
        `poll localhost protocol pop3 port ${served.port} auth password`,
        `  user "${user}" password "${password}"`,
        `  ${way === 'stls' ? 'sslproto "TLS1.2+"' : 'ssl'} sslcertck sslcertfile "${served.files.cert}"`,
        '  no rewrite fetchall no keep',
        `  mda "/bin/sh ${deliver}"`,
        '',
      ].join('\n'),
      { mode: 0o600 },
    );
    const result = await runCommand(
      t,
      expectProgram('fetchmail'),
      ['--fetchmailrc', control, '--nodetach', '--idfile', join(home, 'ids')],
      { env: { FETCHMAILHOME: home } },
    );
    t.equal(result.status, 0, `fetchmail: ${result.stderr}${result.stdout.toString()}`);
    t.strictSame(readStored(home, /^message\./), sorted(messages));
    t.strictSame(served.inbox.contents(), []);
    t.match(served.program.stderr, /pop3d: login .*tls=TLSv1\.[23]/);
  });

  // Debian's mpop 1.4 does not know scram-sha-256-plus; Python does it below.
  for (const auth of ['user', 'plain', 'login', 'scram-sha-256']) {
    t.test(
      `mpop, ${title}, auth ${auth}`,
      { skip: unlessInstalled('mpop', 'openssl') },
      async (t) => {
        const served = await serve(t, way);
        const store = join(served.folder, 'mpop');
        for (const part of ['new', 'cur', 'tmp']) mkdirSync(join(store, part), { recursive: true });
        const control = join(served.folder, 'mpoprc');
        writeFileSync(
          control,
          [
            'account default',
            'host 127.0.0.1',
            `port ${served.port}`,
            'tls on',
            `tls_starttls ${way === 'stls' ? 'on' : 'off'}`,
            `tls_trust_file ${served.files.cert}`,
            `user ${user}`,
            `password "${password}"`,
            `auth ${auth}`,
            'keep off',
            'received_header off',
            `uidls_file ${join(served.folder, 'mpop.uidls')}`,
            `delivery maildir ${store}`,
            '',
          ].join('\n'),
          { mode: 0o600 },
        );
        const mpop = await runCommand(t, expectProgram('mpop'), ['--file', control, '--quiet']);
        t.equal(mpop.status, 0, mpop.stderr);
        t.strictSame(readStored(join(store, 'new'), /./), sorted(messages));
        t.strictSame(served.inbox.contents(), []);
        await expectLogin(t, served, auth.toUpperCase());
      },
    );
  }

  t.test(
    `Python's poplib, ${title}`,
    { skip: unlessInstalled('python3', 'openssl') },
    async (t) => {
      const served = await serve(t, way);
      const { status, stdout, stderr } = await runCommand(t, expectProgram('python3'), [
        ...['-c', poplibScript, way, String(served.port), served.files.cert, user, password],
      ]);
      t.equal(status, 0, stderr);
      t.match(stdout.toString(), /^TLSv1\.3\nSubject: .+\n/);
      await expectLogin(t, served, 'USER');
    },
  );

  t.test(
    `SCRAM-SHA-256-PLUS written anew in Python, ${title}`,
    { skip: unlessInstalled('python3', 'openssl') },
    async (t) => {
      const served = await serve(t, way);
      const log = (given: string): Promise<Result> =>
        runCommand(t, expectProgram('python3'), [
          ...['-c', scramScript, way, String(served.port), user, given],
        ]);
      const wrong = await log('wrong');
      t.match(wrong.stdout.toString(), /^-ERR \[AUTH\]/, wrong.stderr);
      const right = await log(password);
      t.match(right.stdout.toString(), /^\+OK/, right.stderr);
      await expectLogin(t, served, 'SCRAM-SHA-256-PLUS');
    },
  );
}

/** RFC 5802 with tls-server-end-point (RFC 5929), by nothing of ours. It checks the server's signature too. */
const scramScript = `
import base64, hashlib, hmac, poplib, secrets, ssl, sys
way, port, user, password = sys.argv[1:]
context = ssl._create_unverified_context()
if way == 'implicit':
    mail = poplib.POP3_SSL('127.0.0.1', int(port), context=context, timeout=20)
else:
    mail = poplib.POP3('127.0.0.1', int(port), timeout=20)
    mail.stls(context)
assert 'SCRAM-SHA-256-PLUS' in mail.capa()['SASL']
def say(data):
    mail._putcmd(data if isinstance(data, str) else base64.b64encode(data).decode())
def heard():
    line = mail.file.readline().rstrip(b'\\r\\n')
    if not line.startswith(b'+ '):
        print(line.decode())
        sys.exit()
    return base64.b64decode(line[2:])
mac = lambda key, text: hmac.new(key, text, hashlib.sha256).digest()
header = b'p=tls-server-end-point,,'
nonce = secrets.token_hex(12).encode()
first = b'n=' + user.encode() + b',r=' + nonce
say('AUTH SCRAM-SHA-256-PLUS ' + base64.b64encode(header + first).decode())
server_first = heard()
parts = dict(part.split(b'=', 1) for part in server_first.split(b','))
assert parts[b'r'].startswith(nonce) and len(parts[b'r']) > len(nonce)
salted = hashlib.pbkdf2_hmac('sha256', password.encode(), base64.b64decode(parts[b's']), int(parts[b'i']))
binding = header + hashlib.sha256(mail.sock.getpeercert(True)).digest()
bare = b'c=' + base64.b64encode(binding) + b',r=' + parts[b'r']
signed = b','.join((first, server_first, bare))
key = mac(salted, b'Client Key')
proof = bytes(a ^ b for a, b in zip(key, mac(hashlib.sha256(key).digest(), signed)))
say(bare + b',p=' + base64.b64encode(proof))
assert heard() == b'v=' + base64.b64encode(mac(mac(salted, b'Server Key'), signed))
say('')
heard()
`;

/** What the texts that this server was written from show, with the certificate verified. */
const poplibScript = `
import poplib, ssl, sys
from email.parser import BytesParser
way, port, certificate, user, password = sys.argv[1:]
context = ssl.create_default_context(cafile=certificate)
if way == 'implicit':
    mail = poplib.POP3_SSL('127.0.0.1', int(port), context=context, timeout=20)
else:
    mail = poplib.POP3('127.0.0.1', int(port), timeout=20)
    assert 'STLS' in mail.capa()
    mail.stls(context)
    assert 'STLS' not in mail.capa()
print(mail.sock.version())
mail.user(user)
mail.pass_(password)
num_messages = len(mail.list()[1])
response, lines, octets = mail.retr(num_messages)
print('Subject:', BytesParser().parsebytes(b'\\r\\n'.join(lines)).get('Subject'))
mail.quit()
`;
import { testFolder } from '../support/suite/test-folder.js';

function readStored(folder: string, name: RegExp): Buffer[] {
  return sorted(
    readdirSync(folder)
      .filter((entry) => name.test(entry))
      .map((entry) => readFileSync(join(folder, entry))),
  );
}

function sorted(buffers: readonly Buffer[]): Buffer[] {
  return [...buffers].sort((one, other) => Buffer.compare(one, other));
}
