// Finding the server by DNS: SRV records, superdomains, priority, weight, failover. The answers are dnsmasq's.

import { createServer, type AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { unlessInstalled } from '../support/peers/debian.js';
import { startDns } from '../support/peers/dnsmasq.js';
import {
  makeMaildir,
  numberedMessages,
  startFakeServer,
} from '../support/programs/pop3get-fixture.js';
import { runProgram, type Result } from '../support/programs/run-program.js';
import { locateServers } from '../../src/pop3-client/find/locate.js';
import { openNameServer } from '../../src/pop3-client/find/name-server.js';

const never = new AbortController().signal;
const skip = unlessInstalled('dnsmasq');

/** A TCP port of 127.0.0.1 where nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function locate(
  t: Test,
  dnsServer: string,
  domain: string,
  args: readonly string[] = [],
): Promise<Result> {
  const words = ['--dns-server', dnsServer, '--directory', makeMaildir(t), ...args];
  return runProgram(t, 'pop3get', [...words, domain, 'ann'], {
    env: { POP3GET_PASSWORD: 'secret' },
  });
}

const messages = numberedMessages(2);

t.test('SRV records name host and port', { skip }, async (t) => {
  const { port } = await startFakeServer(t, { messages });
  const dns = await startDns(t, `--srv-host=_pop3._tcp.example.org,mail.example.org,${port},0,5`);
  const { status, stderr } = await locate(t, dns, 'example.org');
  t.equal(status, 0, stderr);
  t.match(stderr, `server=mail.example.org:${port}`);
});

t.test('the original spelling of the options does the same', { skip }, async (t) => {
  const { port } = await startFakeServer(t, { messages });
  const dns = await startDns(t, `--srv-host=_pop3._tcp.example.org,mail.example.org,${port},0,5`);
  const found = ['/SRV_SELF-', '/SRV_SUPERDOMAINS+', '/IP6ADDR-'];
  t.equal((await locate(t, dns, 'sub.example.org', found)).status, 0);
});

t.test(
  'the target of lower priority is taken when the first cannot be reached',
  { skip },
  async (t) => {
    const { port } = await startFakeServer(t, { messages });
    const closed = await closedPort();
    const dns = await startDns(
      t,
      `--srv-host=_pop3._tcp.example.org,mail.example.org,${port},20,0`,
      `--srv-host=_pop3._tcp.example.org,mail.example.org,${closed},10,0`,
    );
    t.equal((await locate(t, dns, 'example.org')).status, 0);
  },
);

t.test('targets of one priority come first as often as their weights say', { skip }, async (t) => {
  const dns = await startDns(
    t,
    '--srv-host=_pop3._tcp.example.org,heavy.example.org,110,10,30',
    '--srv-host=_pop3._tcp.example.org,light.example.org,110,10,10',
    '--srv-host=_pop3._tcp.example.org,never.example.org,110,10,0',
    '--srv-host=_pop3._tcp.example.org,spare.example.org,110,20,60000',
  );
  const nameServer = openNameServer([dns], [4]);
  const draws = 2000;
  const first = new Map<string, number>();
  for (let draw = 0; draw < draws; draw += 1) {
    const targets = await locateServers(
      {
        domain: 'example.org',
        byAddress: false,
        srvSelf: true,
        srvSuperdomains: false,
        implicit: false,
        port: null,
        tls: 'off',
        families: [4],
        dnsServers: [dns],
      },
      nameServer,
      never,
    );
    const hosts = targets.map(({ host }) => host);
    if (draw === 0) t.equal(hosts.length, 4);
    if (hosts.at(-1) !== 'spare.example.org') t.fail(hosts.join(' '));
    first.set(hosts[0] ?? '', (first.get(hosts[0] ?? '') ?? 0) + 1);
  }
  // Numbers from 0 to 40 are drawn: 0 is the weightless target's, the next 10 the light one's. Beyond six sigma: 1 in 10^9.
  const expectShare = (host: string, share: number): void => {
    const count = first.get(host) ?? 0;
    const sigma = Math.sqrt(draws * share * (1 - share));
    t.ok(Math.abs(count - draws * share) < 6 * sigma, `${host} came first ${count} times`);
  };
  expectShare('never.example.org', 1 / 41);
  expectShare('light.example.org', 10 / 41);
  expectShare('heavy.example.org', 30 / 41);
});

t.test('a target that greets with -ERR makes room for the next', { skip }, async (t) => {
  const busy = await startFakeServer(t, { messages, greeting: '-ERR full\r\n' });
  const { port } = await startFakeServer(t, { messages });
  const dns = await startDns(
    t,
    `--srv-host=_pop3._tcp.example.org,mail.example.org,${busy.port},10,0`,
    `--srv-host=_pop3._tcp.example.org,mail.example.org,${port},20,0`,
  );
  t.equal((await locate(t, dns, 'example.org')).status, 0);
  t.equal(busy.sessions, 1);
});

t.test('an address that does not answer costs a moment, not the timeout', { skip }, async (t) => {
  const { port } = await startFakeServer(t, { messages });
  // 192.0.2.0/24 is for documentation (RFC 5737): packets to it go nowhere.
  const dns = await startDns(
    t,
    '--address=/dead.example.org/192.0.2.1',
    `--srv-host=_pop3._tcp.example.org,dead.example.org,${port},10,0`,
    `--srv-host=_pop3._tcp.example.org,mail.example.org,${port},20,0`,
  );
  const startedAt = performance.now();
  t.equal((await locate(t, dns, 'example.org')).status, 0);
  t.ok(performance.now() - startedAt < 10_000);
});

t.test('superdomains are asked only on demand', { skip }, async (t) => {
  const { port } = await startFakeServer(t, { messages });
  const dns = await startDns(t, `--srv-host=_pop3._tcp.example.org,mail.example.org,${port},0,0`);
  const name = 'deep.sub.example.org';
  t.equal((await locate(t, dns, name, ['--no-implicit'])).status, 100);
  t.equal((await locate(t, dns, name, ['--no-implicit', '--srv_superdomains'])).status, 0);
});

t.test('the target "." says that there is no service', { skip }, async (t) => {
  const dns = await startDns(
    t,
    '--srv-host=_pop3._tcp.example.org',
    '--srv-host=_pop3s._tcp.example.org',
    '--address=/example.org/127.0.0.1',
  );
  const { status, stderr } = await locate(t, dns, 'example.org');
  t.equal(status, 100);
  t.match(stderr, /offers no POP3: --no-srv_self tries the name itself/);
});

t.test(
  'without SRV records the name itself is tried, and a name that is none is refused',
  { skip },
  async (t) => {
    const { port } = await startFakeServer(t, { messages });
    const dns = await startDns(t);
    t.equal((await locate(t, dns, 'mail.example.org', ['--port', String(port)])).status, 0);
    t.equal((await locate(t, dns, 'nowhere.example.org')).status, 100);
  },
);

t.test(
  'pop3s that is announced is never replaced by a connection in clear',
  { skip },
  async (t) => {
    const closed = await closedPort();
    const clear = await startFakeServer(t, { messages });
    const dns = await startDns(
      t,
      `--srv-host=_pop3s._tcp.example.org,mail.example.org,${closed},0,0`,
      `--srv-host=_pop3._tcp.example.org,mail.example.org,${clear.port},0,0`,
    );
    t.equal((await locate(t, dns, 'example.org')).status, 100);
    t.notMatch(clear.commands.join('\n'), /USER|PASS|AUTH/);
  },
);
