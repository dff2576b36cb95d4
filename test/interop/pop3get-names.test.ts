// What pop3get makes of names: hints when DNS leaves nothing to try, and internationalized names on the wire. dnsmasq answers.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { makeSignedCertificate } from '../support/accounts/certificate-authority.js';
import { unlessInstalled } from '../support/peers/debian.js';
import { startDns } from '../support/peers/dnsmasq.js';
import {
  makeMaildir,
  numberedMessages,
  startFakeServer,
  type FakeServer,
} from '../support/programs/pop3get-fixture.js';
import { runProgram, type Result } from '../support/programs/run-program.js';
import { testFolder } from '../support/suite/test-folder.js';

const skip = unlessInstalled('dnsmasq');

/** A server with a certificate for this name, and the options by which it is trusted. */
async function serveTls(
  t: Test,
  name: string,
): Promise<{ readonly server: FakeServer; readonly trust: readonly string[] }> {
  const { ca, cert, key } = makeSignedCertificate(testFolder(t, {}), [name]);
  const server = await startFakeServer(t, {
    messages: numberedMessages(1),
    capabilities: ['USER', 'UIDL', 'STLS'],
    tls: { cert: readFileSync(cert), key: readFileSync(key) },
  });
  return { server, trust: ['--tls-ca', ca] };
}

async function get(
  t: Test,
  maildir: string,
  args: readonly string[],
  domain: string,
): Promise<Result> {
  return runProgram(t, 'pop3get', ['--directory', maildir, ...args, domain, 'ann'], {
    env: { POP3GET_PASSWORD: 'secret' },
  });
}

t.test('no SRV records and no --implicit: the error names both ways out', { skip }, async (t) => {
  const dns = await startDns(t);
  const args = ['--dns-server', dns, '--no-implicit'];
  const { status, stderr } = await get(t, makeMaildir(t), args, 'mail.example.org');
  t.equal(status, 100);
  t.match(stderr, /--implicit tries the name itself, or give the server's name/);
});

t.test(
  'the certificate fits the SRV target outside of the domain: not trusted, and the error says how to trust it',
  { skip },
  async (t) => {
    const { server, trust } = await serveTls(t, 'mail.example.net');
    const dns = await startDns(
      t,
      '--address=/mail.example.net/127.0.0.1',
      `--srv-host=_pop3._tcp.example.org,mail.example.net,${server.port},0,0`,
    );
    const args = ['--dns-server', dns, ...trust];
    const forged = await get(t, makeMaildir(t), args, 'example.org');
    t.equal(forged.status, 100);
    t.match(forged.stderr, /only DNS says.*give mail\.example\.net in place of the domain/);
    t.notMatch(server.commands.join('\n'), /USER|PASS|AUTH/);
    const direct = [...args, '--port', String(server.port)];
    const { status, stderr } = await get(t, makeMaildir(t), direct, 'mail.example.net');
    t.equal(status, 0, `and what the hint says works: ${stderr}`);
  },
);

t.test(
  'an internationalized domain is its A-label in DNS, SNI, certificate and Received',
  { skip },
  async (t) => {
    const ascii = 'xn--mnchen-3ya.example.org';
    const { server, trust } = await serveTls(t, ascii);
    const dns = await startDns(t, `--address=/${ascii}/127.0.0.1`);
    const maildir = makeMaildir(t);
    const args = ['--dns-server', dns, '--port', String(server.port), ...trust];
    const { status, stderr } = await get(t, maildir, args, 'm\u00fcnchen.example.org');
    t.equal(status, 0, stderr);
    t.same(server.serverNames, [ascii]);
    const [name = ''] = readdirSync(join(maildir, 'new'));
    const text = readFileSync(join(maildir, 'new', name), 'latin1');
    const [received = ''] = /^Received: (?:[^\n]|\n\t)*\n/.exec(text) ?? [];
    t.match(received, ascii);
    t.match(received, /^[\0-\x7f]*$/);
  },
);
