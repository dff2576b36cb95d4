// tcpsrun behind the real HAProxy: both versions of its header, its health checks, TLS that it ends, and services/haproxy.

import { readFileSync, writeFileSync } from 'node:fs';
import { connect as connectTls } from 'node:tls';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { joinIntoOnePem, makeCertificate } from '../support/accounts/certificate.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { makeInbox } from '../support/mail/maildir-fixture.js';
import { expectProgram, unlessInstalled } from '../support/peers/debian.js';
import { builtProgram, runCommand, startCommand } from '../support/programs/run-program.js';
import { counters, startTcpsrun, type Tcpsrun } from '../support/programs/tcpsrun-fixture.js';
import { connectWireClient, WireClient } from '../support/sessions/wire-client.js';
import { poll } from '../support/suite/deadline.js';
import { freePort } from '../support/suite/free-port.js';

const skip = unlessInstalled('haproxy', 'openssl');
const certificate = skip === false ? makeCertificate(t.testdir({})) : { cert: '', key: '' };

/** pop3d with a certificate, so that clients that are no longer on loopback need TLS. */
async function serve(t: Test, workers: number): Promise<Tcpsrun> {
  const { cert, key } = certificate;
  const args = ['--tls-cert', cert, '--tls-key', key, '--accesslevel', '%4', '%3'];
  const tcpsrun = await startTcpsrun(t, {
    runFile: [
      `program ${process.execPath}`,
      ...['node', builtProgram('pop3d'), ...args].map((argument) => `argument ${argument}`),
    ].join('\n'),
    rules: '127.0.0.7 3\n127.0.0.66 0\ndefault 1\n',
    options: ['--proxy-from', '127.0.0.1', '--workers', String(workers)],
  });
  makePasswordDatabase(join(tcpsrun.directory, 'passdb.sqlite'), { 'ann@example.org': 'x' });
  makeInbox(tcpsrun.directory, 'ann@example.org').add('a: b\n\nc\n');
  return tcpsrun;
}

interface Balancer {
  readonly port: number;
  /** Where clients speak TLS to it. */
  readonly tlsPort: number;
}

async function balance(t: Test, { port, directory }: Tcpsrun, send: string): Promise<Balancer> {
  const [clear, encrypted] = [await freePort(), await freePort()];
  const pem = joinIntoOnePem(certificate, join(directory, 'one.pem'));
  const file = join(directory, 'haproxy.cfg');
  writeFileSync(
    file,
    `
defaults
  mode tcp
  timeout connect 20s
  timeout client 5m
  timeout server 5m
  timeout check 20s
listen pop3
  bind 127.0.0.1:${clear}
  bind 127.0.0.1:${encrypted} ssl crt ${pem}
  option tcp-check
  tcp-check connect default
  tcp-check expect string +OK
  tcp-check send QUIT\\r\\n
  tcp-check expect string +OK
  server n1 127.0.0.1:${port} ${send} source 127.0.0.1 check check-send-proxy inter 1s
`,
  );
  startCommand(t, expectProgram('haproxy'), ['-db', '-f', file]);
  await poll('haproxy to listen', async () => {
    try {
      (await connectWireClient(clear, '127.0.0.1', '127.0.0.66')).destroy();
      return true;
    } catch {
      return undefined;
    }
  });
  return { port: clear, tlsPort: encrypted };
}

for (const [send, tlsIsTold] of [
  ['send-proxy', false],
  ['send-proxy-v2', false],
  ['send-proxy-v2-ssl', true],
] as const) {
  for (const workers of [0, 1]) {
    t.test(
      `${send}: clients have their own addresses, ${workers === 0 ? 'each with a process' : 'in a kept worker'}`,
      { skip },
      async (t) => {
        const tcpsrun = await serve(t, workers);
        const { port, tlsPort } = await balance(t, tcpsrun, send);
        const client = await connectWireClient(port, '127.0.0.1', '127.0.0.7');
        await client.login('ann@example.org', 'x');
        t.equal((await client.message('RETR 1')).toString(), 'a: b\r\n\r\nc\r\n');
        await client.ok('QUIT');
        await tcpsrun.program.logLine(
          /connect peer=127\.0\.0\.7 port=[0-9]+ proxy=127\.0\.0\.1 level=3 rule=1/,
        );
        await tcpsrun.program.logLine(/pop3d: connect .*peer=127\.0\.0\.7 level=3/);
        const denied = await connectWireClient(port, '127.0.0.1', '127.0.0.66');
        t.equal((await denied.rest()).length, 0, 'denied by its own address');
        await tcpsrun.program.logLine(/refuse peer=127\.0\.0\.66 port=[0-9]+ level=0 rule=2/);

        const encrypted = connectTls({
          port: tlsPort,
          host: '127.0.0.1',
          rejectUnauthorized: false,
        });
        const secure = new WireClient(encrypted, encrypted);
        await secure.status();
        t.equal((await secure.listing('CAPA')).includes('STLS'), !tlsIsTold);
        await secure.ok('USER ann@example.org');
        await secure.ok('PASS x');
        await secure.ok('QUIT');
        if (tlsIsTold) await tcpsrun.program.logLine(/login .*tls=TLSv1\.[23]/);

        // Its health checks are sessions of its own, and no failures.
        await poll('a health check', () =>
          Promise.resolve(
            /connect peer=127\.0\.0\.1 port=[0-9]+ (?:proxy=127\.0\.0\.1 )?level=1/.test(
              tcpsrun.program.stderr,
            )
              ? true
              : undefined,
          ),
        );
        t.match(await counters(tcpsrun), { failed: 0, failedLogins: 0 });
        t.notMatch(tcpsrun.program.stderr, /PROXY header/);
      },
    );
  }
}

t.test('services/haproxy/haproxy.cfg is what haproxy takes', { skip }, async (t) => {
  const file = fileURLToPath(new URL('../../../services/haproxy/haproxy.cfg', import.meta.url));
  t.match(readFileSync(file, 'utf8'), /check-send-proxy .*send-proxy-v2/);
  const { status, stderr } = await runCommand(t, expectProgram('haproxy'), ['-c', '-f', file]);
  t.equal(status, 0, stderr);
});
