// pop3get against real servers: pop3d, Dovecot and GNU Mailutils' pop3d.

import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  makeSignedCertificate,
  type Certificate,
} from '../support/accounts/certificate-authority.js';
import { unlessInstalled } from '../support/peers/debian.js';
import { startDovecot, unlessDovecot } from '../support/peers/dovecot.js';
import { MaildirFixture, makeInbox } from '../support/mail/maildir-fixture.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { makeMaildir, storedContents } from '../support/programs/pop3get-fixture.js';
import {
  builtProgram,
  runProgram,
  startProgram,
  type Result,
} from '../support/programs/run-program.js';

const skip = unlessInstalled('openssl');
const messages = [
  'Subject: one\n\nfirst\n',
  'Subject: dots\n\n.\n..\n.dot\nend\n',
  `Subject: 8-bit\n\n${'\xff\xfe\x80'.repeat(40)}\n`,
  `Subject: long\n\n${'w'.repeat(200_000)}\n`,
  ...Array.from({ length: 100 }, (_, index) => `Subject: ${index}\n\nnumber ${index}\n`),
];
const expected = messages.map((text) => text.replace(/\n/g, '\r\n')).sort();

interface MailRoot {
  readonly path: string;
  readonly inbox: string;
  readonly tls: Certificate;
}

/** A mail root with the messages in ann@example.org's INBOX, owned by nobody, as Dovecot needs it. */
function makeMailRoot(t: Test): MailRoot {
  const path = mkdtempSync(join(tmpdir(), 'mailroot-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  const tlsFolder = join(path, '.tls');
  mkdirSync(tlsFolder);
  makePasswordDatabase(join(path, 'passdb.sqlite'), { 'ann@example.org': '{PLAIN}open sesame' });
  const { path: inbox }: MaildirFixture = makeInbox(path, 'ann@example.org');
  for (const [index, text] of messages.entries()) {
    writeFileSync(join(inbox, 'new', `17000000${index}.M1P1.host`), text, 'latin1');
  }
  if (process.getuid?.() === 0) {
    for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' })) {
      chownSync(join(path, name), 65534, 65534);
    }
    chownSync(path, 65534, 65534);
  }
  return { path, inbox, tls: makeSignedCertificate(tlsFolder, ['localhost', '127.0.0.1']) };
}

async function startPop3d(
  t: Test,
  root: MailRoot,
  options: readonly string[] = [],
): Promise<number> {
  const runFile = join(root.path, 'pop3.run');
  const lines = ['chdir %MAILROOT%', 'program %NODE%', 'argument node', 'argument %POP3D%'];
  for (const option of options) lines.push(`argument ${option}`);
  writeFileSync(runFile, [...lines, ''].join('\n'));
  const program = startProgram(t, 'tcpsrun', ['127.0.0.1', '0', runFile], {
    env: {
      NODE: process.execPath,
      POP3D: builtProgram('pop3d'),
      MAILROOT: root.path,
      TLS_CERT: root.tls.cert,
      TLS_KEY: root.tls.key,
    },
  });
  const [, port] = await program.logLine(/listening.*\bport=(\d+)/);
  return Number(port);
}

async function fetch(
  t: Test,
  port: number,
  maildir: string,
  args: readonly string[],
): Promise<Result> {
  const words = ['--port', String(port), '--directory', maildir, '--json', ...args];
  return runProgram(t, 'pop3get', [...words, 'localhost', 'ann@example.org'], {
    env: { POP3GET_PASSWORD: 'open sesame' },
  });
}

async function checkTransfer(
  t: Test,
  root: MailRoot,
  port: number,
  args: readonly string[],
  login: string,
): Promise<void> {
  const maildir = makeMaildir(t);
  const result = await fetch(t, port, maildir, args);
  t.equal(result.status, 0, result.stderr);
  t.match(JSON.parse(result.stdout.toString()), { login, stored: messages.length, tls: true });
  t.ok([...storedContents(maildir)].sort().join('\0') === expected.join('\0'), 'byte-exact');
  t.same([...readdirSync(join(root.inbox, 'new')), ...readdirSync(join(root.inbox, 'cur'))], []);
}

t.test('pop3d by STLS, with SCRAM-SHA-256 as the strongest it offers', { skip }, async (t) => {
  const root = makeMailRoot(t);
  const port = await startPop3d(t, root);
  await checkTransfer(t, root, port, ['--tls-ca', root.tls.ca], 'scram-sha-256');
});

for (const auth of ['plain', 'user']) {
  t.test(`pop3s and ${auth}, trusting a fingerprint`, { skip }, async (t) => {
    const root = makeMailRoot(t);
    const port = await startPop3d(t, root, ['--tls']);
    const args = ['--tls', 'implicit', '--tls-fingerprint', root.tls.fingerprint, '--auth', auth];
    await checkTransfer(t, root, port, args, auth);
  });
}

t.test('pop3d with APOP', { skip }, async (t) => {
  const root = makeMailRoot(t);
  const port = await startPop3d(t, root, ['--apop']);
  await checkTransfer(t, root, port, ['--tls-ca', root.tls.ca, '--auth', 'apop'], 'apop');
});

t.test('certificates that are not trusted: nothing is sent, exit 100', { skip }, async (t) => {
  const root = makeMailRoot(t);
  // A pop3d whose client walks away from the handshake would hold the test until its own deadline.
  const port = await startPop3d(t, root);
  const maildir = makeMaildir(t);
  const other = root.tls.fingerprint.replace(/^../, (first) => (first === '00' ? '11' : '00'));
  for (const args of [[], ['--tls-fingerprint', other]]) {
    const { status, stderr } = await fetch(t, port, maildir, args);
    t.equal(status, 100);
    t.match(stderr, /certificate/);
  }
});

t.test(
  '--keep leaves the mail, and fetches each message once; without it the mail goes',
  { skip },
  async (t) => {
    const root = makeMailRoot(t);
    const port = await startPop3d(t, root);
    const maildir = makeMaildir(t);
    const args = ['--tls-ca', root.tls.ca];
    for (const stored of [messages.length, 0]) {
      const { status, stdout } = await fetch(t, port, maildir, [...args, '--keep']);
      t.equal(status, 0);
      t.match(JSON.parse(stdout.toString()), { stored, kept: messages.length, deleted: 0 });
    }
    const { stdout } = await fetch(t, port, maildir, args);
    t.match(JSON.parse(stdout.toString()), { stored: 0, deleted: messages.length });
    t.equal(storedContents(maildir).length, messages.length);
  },
);

t.test('once an account was served over TLS, it is not served in clear', { skip }, async (t) => {
  const root = makeMailRoot(t);
  const maildir = makeMaildir(t);
  const secure = await startPop3d(t, root);
  t.equal((await fetch(t, secure, maildir, ['--tls-ca', root.tls.ca, '--keep'])).status, 0);
  const runFile = join(root.path, 'clear.run');
  writeFileSync(runFile, 'chdir %MAILROOT%\nprogram %NODE%\nargument node\nargument %POP3D%\n');
  const env = { NODE: process.execPath, POP3D: builtProgram('pop3d'), MAILROOT: root.path };
  const program = startProgram(t, 'tcpsrun', ['127.0.0.1', '0', runFile], { env });
  const [, port] = await program.logLine(/listening.*\bport=(\d+)/);
  const refused = await fetch(t, Number(port), maildir, []);
  t.equal(refused.status, 100);
  t.match(refused.stderr, /has no TLS/);
  t.equal((await fetch(t, Number(port), maildir, ['--tls', 'off'])).status, 0);
});

t.test('Dovecot by STLS and by pop3s', { skip: skip || unlessDovecot() }, async (t) => {
  const root = makeMailRoot(t);
  const pop3sPort = 20_000 + Math.floor(Math.random() * 10_000);
  const dovecot = await startDovecot(t, {
    mailRoot: root.path,
    passdb: join(root.path, 'passdb.sqlite'),
    mechanisms: ['plain', 'scram-sha-256'],
    tls: root.tls,
    settings: `service pop3-login {
  inet_listener pop3s {
    address = 127.0.0.1
    port = ${pop3sPort}
    ssl = yes
  }
}`,
  });
  const ca = ['--tls-ca', root.tls.ca];
  await checkTransfer(t, root, dovecot.pop3Port, ca, 'scram-sha-256');
  for (const [index, text] of messages.entries()) {
    const path = join(root.inbox, 'new', `18000000${index}.M1P1.host`);
    writeFileSync(path, text, 'latin1');
    chownSync(path, 65534, 65534);
  }
  await checkTransfer(t, root, pop3sPort, [...ca, '--tls', 'implicit'], 'scram-sha-256');
});
