// pop3get --proxy: a SOCKS5 proxy between it and the server, kind ones and others.

import { createSocket } from 'node:dgram';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import t, { type Test } from 'tap';
import { makeSignedCertificate } from '../support/accounts/certificate-authority.js';
import { unlessInstalled } from '../support/peers/debian.js';
import { startScript, startSocksProxy } from '../support/peers/socks-proxy.js';
import {
  FakeServer,
  makeMaildir,
  numberedMessages,
  sortedContents,
  startFakeServer,
  storedContents,
} from '../support/programs/pop3get-fixture.js';
import { runProgram, type Result } from '../support/programs/run-program.js';

const three = numberedMessages(3);

async function fetchFrom(
  t: Test,
  domain: string,
  maildir: string,
  args: readonly string[],
): Promise<Result> {
  const words = ['--directory', maildir, ...args, domain, 'ann'];
  return runProgram(t, 'pop3get', words, { env: { POP3GET_PASSWORD: 'secret' } });
}

t.test('the proxy gets the name and resolves it; no DNS server is asked', async (t) => {
  const dns = createSocket('udp4');
  let questions = 0;
  dns.on('message', () => (questions += 1));
  await new Promise<void>((resolve) => dns.bind(0, '127.0.0.1', resolve));
  t.teardown(() => dns.close());
  for (const options of [
    {},
    { isSlow: true },
    { boundAddress: [3, 4, ...Buffer.from('here'), 1, 2] },
    { boundAddress: [4, ...Buffer.alloc(16), 1, 2] },
    { login: 'us er:p@ss:w%rd' },
  ]) {
    const server = await startFakeServer(t, { messages: three });
    const proxy = await startSocksProxy(t, options);
    const maildir = makeMaildir(t);
    const login = options.login === undefined ? '' : 'us%20er:p%40ss:w%25rd@';
    const args = [
      ...['--dns-server', `127.0.0.1:${dns.address().port}`, '--port', String(server.port)],
      ...['--proxy', `socks5://${login}127.0.0.1:${proxy.port}`],
    ];
    const result = await fetchFrom(t, 'pop.example.invalid', maildir, args);
    t.equal(result.status, 0, result.stderr);
    t.same([...storedContents(maildir)].sort(), sortedContents(three));
    t.same(proxy.requests, [`name pop.example.invalid:${server.port}`]);
    t.equal(server.messages.length, 0);
  }
  t.equal(questions, 0);
});

t.test('the trace field names the server, whose address nobody here knows', async (t) => {
  const server = await startFakeServer(t, { messages: numberedMessages(1) });
  const proxy = await startSocksProxy(t);
  const args = ['--port', String(server.port), '--proxy', `socks5h://127.0.0.1:${proxy.port}/`];
  const taken = join(t.testdir(), 'taken');
  const where = ['--deliver', `command:cat >${taken}`];
  const result = await fetchFrom(t, 'pop.example.invalid', t.testdir(), [...args, ...where]);
  t.equal(result.status, 0, result.stderr);
  t.match(readFileSync(taken, 'latin1'), /^Received: from pop\.example\.invalid\n\tby /m);
});

t.test('addresses go as addresses', async (t) => {
  const server = await startFakeServer(t, { messages: numberedMessages(1) });
  const proxy = await startSocksProxy(t);
  const args = ['--keep', '--port', String(server.port)];
  const url = ['--proxy', `socks5://127.0.0.1:${proxy.port}`];
  for (const domain of ['192.0.2.1', '2001:db8::1']) {
    const result = await fetchFrom(t, domain, makeMaildir(t), [...args, ...url]);
    t.equal(result.status, 0, result.stderr);
  }
  const six = `20010db8${'0'.repeat(23)}1`;
  t.same(proxy.requests, [`ip4 192.0.2.1:${server.port}`, `ip6 ${six}:${server.port}`]);
});

t.test(
  'TLS is spoken with the server, and the certificate must be for its name',
  { skip: unlessInstalled('openssl') },
  async (t) => {
    const files = makeSignedCertificate(t.testdir(), ['pop.example.invalid']);
    const fake = new FakeServer({ messages: three });
    const [cert, key] = [files.cert, files.key].map((path) => readFileSync(path, 'latin1'));
    const server = createTlsServer({ cert, key }, (socket) => fake.serve(socket));
    server.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => server.close());
    const { port } = server.address() as AddressInfo;
    // It waits for the client's first octets, so it is no use to wait for the server's.
    const proxy = await startScript(t, (client) => passOn(client, port));
    const args = [
      ...['--port', String(port), '--tls', 'implicit', '--tls-ca', files.ca],
      ...['--proxy', `socks5://127.0.0.1:${proxy}`],
    ];
    const maildir = makeMaildir(t);
    const wrong = await fetchFrom(t, 'pop.example.org', maildir, args);
    t.equal(wrong.status, 100, wrong.stderr);
    t.match(wrong.stderr, /the certificate of pop.example.org is not trusted/);
    t.equal(fake.commands.length, 0);
    const right = await fetchFrom(t, 'pop.example.invalid', maildir, args);
    t.equal(right.status, 0, right.stderr);
    t.match(right.stderr, /tls=true/);
    t.equal(storedContents(maildir).length, 3);
  },
);

/** Accepts whatever is asked for, and then is a pipe to a port here. */
function passOn(client: Socket, port: number): void {
  client.once('data', () => {
    client.write(Buffer.from([5, 0]));
    client.once('data', () => {
      const server = connect({ host: '127.0.0.1', port });
      server.on('error', () => client.destroy());
      client.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
      server.pipe(client);
      client.pipe(server);
    });
  });
}

t.test('a token goes to no loopback address of a proxy without TLS', async (t) => {
  const server = await startFakeServer(t, {
    messages: three,
    capabilities: ['SASL XOAUTH2', 'UIDL'],
  });
  const proxy = await startSocksProxy(t);
  const args = ['--port', String(server.port), '--token-command', 'echo t0ken'];
  const url = ['--proxy', `socks5://127.0.0.1:${proxy.port}`];
  const result = await fetchFrom(t, '127.0.0.1', makeMaildir(t), [...args, ...url]);
  t.equal(result.status, 100, result.stderr);
  t.notOk(server.commands.some((line) => line.startsWith('AUTH')));
});

t.test('what the proxy does not do is said in words', async (t) => {
  const server = await startFakeServer(t, { messages: three });
  const known = await startSocksProxy(t, { login: 'ann:open sesame' });
  const reply = (code: number) => (client: Socket) => {
    client.once('data', () => {
      client.write(Buffer.from([5, 0]));
      client.once('data', () => client.end(Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0])));
    });
  };
  const answer = (text: string | Buffer) => (client: Socket) => {
    client.once('data', () => client.end(text));
  };
  const scripts: readonly (readonly [number, (client: Socket) => void, RegExp])[] = [
    [111, reply(1), /the proxy 127.0.0.1 failed to connect to mail.test port \d+ \(SOCKS5 error 1/],
    [100, reply(2), /the proxy 127.0.0.1 does not allow connections to mail.test port/],
    [111, reply(3), /the proxy 127.0.0.1 finds no way to mail.test port/],
    [111, reply(4), /finds no way to mail.test port \d+, or no such host/],
    [111, reply(5), /connection refused by mail.test port \d+, says the proxy 127.0.0.1/],
    [111, reply(6), /no answer from mail.test port \d+, says the proxy/],
    [100, reply(7), /makes no connections for others/],
    [100, reply(8), /does not know addresses such as that of mail.test/],
    [111, reply(0xf1), /SOCKS5 error 241/],
    [100, answer('HTTP/1.1 400 Bad Request\r\n\r\n'), /the proxy 127.0.0.1 speaks no SOCKS5/],
    [100, answer(Buffer.from([0, 91])), /speaks no SOCKS5/],
    [100, answer(Buffer.from([5, 0xff])), /wants a user and password: --proxy socks5:\/\/USER/],
    [111, answer(Buffer.from([5])), /the proxy 127.0.0.1 closed the connection/],
    [111, (client) => client.end(), /the proxy 127.0.0.1 closed the connection/],
    [111, (client) => client.resetAndDestroy(), /the proxy 127.0.0.1/],
    [111, () => undefined, /no answer in time/],
    [111, (client) => dribble(client), /no answer in time/],
    [111, (client) => flood(client), /./],
  ];
  const fetchBy = async (url: string): Promise<Result> =>
    fetchFrom(t, 'mail.test', makeMaildir(t), [
      ...['--proxy', url, '--timeout', '2', '--port', String(server.port)],
    ]);
  for (const [status, script, words] of scripts) {
    const result = await fetchBy(`socks5://127.0.0.1:${await startScript(t, script)}`);
    t.equal(result.status, status, `${String(words)}: ${result.stderr}`);
    t.match(result.stderr, words);
  }
  const wrong = await fetchBy(`socks5://ann:h1dden@127.0.0.1:${known.port}`);
  t.equal(wrong.status, 100, wrong.stderr);
  t.match(wrong.stderr, /the proxy 127.0.0.1 refuses the user or password of --proxy/);
  t.notMatch(wrong.stderr, 'h1dden');
  const nobody = await fetchBy('socks5://127.0.0.1:1');
  t.equal(nobody.status, 111, nobody.stderr);
  t.match(nobody.stderr, /connection refused by the proxy 127.0.0.1/);
  t.equal(server.commands.length, 0);
});

/** One octet a while, none of which is the end. */
function dribble(client: Socket): void {
  const reply = Buffer.from([5, 0, 5, 0, 0, 3, 255]);
  let sent = 0;
  const timer = setInterval(() => client.write(reply.subarray(sent, (sent += 1))), 100);
  client.once('close', () => clearInterval(timer));
}

/** A proxy that says yes, and then sends for ever. */
function flood(client: Socket): void {
  client.write(Buffer.from([5, 0, 5, 0, 0, 3, 255]));
  const piece = Buffer.alloc(65_536, 'x');
  const fill = (): void => {
    while (!client.destroyed && client.write(piece));
  };
  client.on('drain', fill);
  fill();
}

t.test('an account file may have a proxy; a mistaken URL is not repeated', async (t) => {
  const server = await startFakeServer(t, { messages: three });
  const proxy = await startSocksProxy(t);
  const [folder, maildir] = [t.testdir(), makeMaildir(t)];
  writeFileSync(join(folder, 'secret'), 'secret\n', { mode: 0o600 });
  writeFileSync(
    join(folder, 'accounts'),
    `[defaults]
proxy = socks5://127.0.0.1:${proxy.port}
password-file = ${folder}/secret
directory = ${maildir}
[ann]
domain = pop.example.invalid
username = ann
port = ${server.port}
`,
  );
  const result = await runProgram(t, 'pop3get', ['--config', join(folder, 'accounts')]);
  t.equal(result.status, 0, result.stderr);
  t.equal(storedContents(maildir).length, 3);
  t.equal(proxy.requests.length, 1);
  for (const url of [
    'socks4://127.0.0.1',
    'http://ann:h1dden@127.0.0.1',
    '127.0.0.1:1080',
    'socks5://ann:h1dden@host:0',
    'socks5://ann:h1dden@host:70000',
    'socks5://ann:h1dden@ho st',
    'socks5://ann@host',
    'socks5://:h1dden@host',
    'socks5://ann:%h1dden@host',
    `socks5://ann:${'h1dden'.repeat(50)}@host`,
  ]) {
    const wrong = await fetchFrom(t, 'example.org', maildir, ['--proxy', url]);
    t.equal(wrong.status, 100, url);
    t.match(wrong.stderr, /option --proxy/);
    t.notMatch(wrong.stderr, 'h1dden');
  }
});
