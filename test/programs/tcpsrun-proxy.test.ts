// tcpsrun --proxy-from: who may send a PROXY header, what it makes of a connection, and that nothing behind it is read.
// Which octets are a header is in test/fuzz/proxy-headers.ts.

import { once } from 'node:events';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { makeCertificate } from '../support/accounts/certificate.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { makeInbox } from '../support/mail/maildir-fixture.js';
import { builtProgram, runProgram } from '../support/programs/run-program.js';
import {
  counters,
  greeter,
  shellRunFile,
  startTcpsrun,
  type Client,
  type Tcpsrun,
} from '../support/programs/tcpsrun-fixture.js';
import { poll } from '../support/suite/deadline.js';
import { testFolder } from '../support/suite/test-folder.js';

const trusted = ['--proxy-from', '127.0.0.1/32, 2001:db8::/32'];
const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

/** Version 2, over IPv4, from 192.0.2.9 port 4711 to 198.51.100.1 port 995. */
function binaryHeader(vectors = '', command = 0x21): Buffer {
  const body = Buffer.from(`c0000209c63364011267 03e3${vectors}`.replace(/ /g, ''), 'hex');
  return Buffer.concat([signature, Buffer.from([command, 0x11, 0, body.length]), body]);
}

const line = 'PROXY TCP4 192.0.2.9 198.51.100.1 4711 995\r\n';
/** TLS: a client that speaks TLSv1.3 with TLS_AES_128_GCM_SHA256, to mail.example. */
const inTls =
  '02000c6d61696c2e6578616d706c65' +
  '2000280100000000' +
  '210007544c5376312e33' +
  '230016544c535f4145535f3132385f47434d5f534841323536';

async function send(client: Client, octets: Buffer, each: number): Promise<void> {
  client.socket.setNoDelay(true);
  for (let at = 0; at < octets.length; at += each) {
    await new Promise((resolve) => client.socket.write(octets.subarray(at, at + each), resolve));
    await new Promise(setImmediate);
  }
}

for (const [title, header] of [
  ['version 1', Buffer.from(line)],
  ['version 2', binaryHeader()],
  ['version 2 with what it says of TLS', binaryHeader(inTls)],
  ['version 1 of an unknown client', Buffer.from('PROXY UNKNOWN ffff::1 ffff::1 1 1\r\n')],
  ["version 2 of the proxy's own", binaryHeader('', 0x20)],
] as const) {
  t.test(`nothing behind a header of ${title} is read: the program has all of it`, async (t) => {
    const tcpsrun = await startTcpsrun(t, { runFile: shellRunFile('cat'), options: trusted });
    const rest = Buffer.from(`USER ann\r\n${'x'.repeat(70_000)}\r\n\r\nPROXY TCP4\r\n`);
    for (const each of [1, 7, Infinity]) {
      const client = tcpsrun.connect();
      await send(client, header, each);
      client.socket.end(rest);
      t.equal((await client.end()).received, rest.toString(), `${each} octets a time`);
    }
    const together = tcpsrun.connect();
    together.socket.end(Buffer.concat([header, rest]));
    t.equal((await together.end()).received, rest.toString(), 'header and rest in one write');
  });
}

const environment = shellRunFile(
  'echo $TCPREMOTEIP $TCPREMOTEPORT $TCPLOCALIP $TCPLOCALPORT %4 $TCPSRUN_PROXY $SSL_PROTOCOL $SSL_CIPHER $SSL_TLS_SNI_SERVERNAME',
);
const rules = '192.0.2.9 5\n192.0.2.66 0\ndefault 1\n';

t.test("the header's addresses are the client's in environment, level and log", async (t) => {
  // What an outer launcher says is nobody's business.
  const env = { TCPSRUN_PROXY: '203.0.113.1', SSL_PROTOCOL: 'SSLv3' };
  const tcpsrun = await startTcpsrun(t, { runFile: environment, rules, options: trusted, env });
  const answerTo = async (header: string | Buffer, from?: string): Promise<string> => {
    const client = tcpsrun.connect(from);
    client.socket.write(header);
    return (await client.end()).received.trim();
  };
  const told = '192.0.2.9 4711 198.51.100.1 995 5 127.0.0.1';
  t.equal(await answerTo(line), told);
  t.equal(await answerTo(binaryHeader()), told);
  t.equal(
    await answerTo(binaryHeader(inTls)),
    `${told} TLSv1.3 TLS_AES_128_GCM_SHA256 mail.example`,
  );
  const own = new RegExp(`^127\\.0\\.0\\.1 [0-9]+ 127\\.0\\.0\\.1 ${tcpsrun.port} 1$`);
  t.match(await answerTo(binaryHeader(inTls, 0x20)), own, 'LOCAL is a health check');
  t.match(await answerTo('PROXY UNKNOWN\r\n'), own);
  t.equal(await answerTo(line.replace('192.0.2.9', '192.0.2.66')), '', 'denied by the rules');
  await tcpsrun.program.logLine(
    /connect peer=192\.0\.2\.9 port=4711 proxy=127\.0\.0\.1 level=5 rule=1/,
  );
  await tcpsrun.program.logLine(/refuse peer=192\.0\.2\.66 port=4711 level=0 rule=2 why=denied/);
  t.match(
    await answerTo('', '127.0.0.2'),
    /^127\.0\.0\.2 [0-9]+ 127\.0\.0\.1 [0-9]+ 1$/,
    'a stranger',
  );
});

t.test('a stranger may not send a header: the program gets it', async (t) => {
  const tcpsrun = await startTcpsrun(t, { runFile: shellRunFile('cat'), options: trusted });
  const client = tcpsrun.connect('127.0.0.2');
  client.socket.end(line);
  t.equal((await client.end()).received, line);
});

t.test('a header that is late, wrong or missing: closed and logged', async (t) => {
  const tcpsrun = await startTcpsrun(t, { runFile: greeter, options: trusted });
  const late = tcpsrun.connect();
  late.socket.write(line.slice(0, 20));
  for (const [sent, why] of [
    ['QUIT\r\n', 'no PROXY header: it does not begin with one'],
    ['PROXY TCP4 a b c d\r\n', 'no PROXY header: its line does not name'],
    [binaryHeader('0200'), 'no PROXY header: what follows its addresses is malformed'],
    [Buffer.concat([signature, Buffer.from([0x21, 0x11, 0xff, 0xff])]), 'it is longer than 4096'],
  ] as const) {
    const client = tcpsrun.connect();
    client.socket.write(sent);
    t.equal((await client.end()).received, '', why);
    await tcpsrun.program.logLine(
      new RegExp(`refuse peer=127\\.0\\.0\\.1 port=[0-9]+ why=.*${why}`),
    );
  }
  const silent = tcpsrun.connect();
  silent.socket.end();
  t.equal((await silent.end()).received, '');
  await tcpsrun.program.logLine(/why="it closed before its PROXY header was whole"/);
  t.equal((await late.end()).received, '');
  await tcpsrun.program.logLine(/why="its PROXY header is late"/);
  t.match(await counters(tcpsrun), { accepted: 6, refused: 6, served: 0 });
});

t.test(
  'a connection whose header was awaited at SIGTERM is served, unless the header is late',
  async (t) => {
    const tcpsrun = await startTcpsrun(t, { runFile: greeter, options: trusted });
    const [late, served] = [tcpsrun.connect(), tcpsrun.connect()];
    await Promise.all([late, served].map(({ socket }) => once(socket, 'connect')));
    tcpsrun.program.kill('SIGTERM');
    await tcpsrun.program.logLine(/stopping/);
    served.socket.write(line);
    await served.firstLine();
    served.socket.write('x\n');
    t.equal((await late.end()).received, '');
    await tcpsrun.program.logLine(/refuse .*why="its PROXY header is late"/);
    t.equal((await tcpsrun.program.finish()).status, 0);
  },
);

t.test('--per-source counts clients behind the proxy, and no health checks', async (t) => {
  const options = [...trusted, '--per-source', '1', '--backlog', '1'];
  const tcpsrun = await startTcpsrun(t, { runFile: greeter, options });
  const start = (header: string): Client => {
    const client = tcpsrun.connect();
    client.socket.write(header);
    return client;
  };
  await start(line).firstLine();
  await start(line.replace('192.0.2.9', '192.0.2.10')).firstLine();
  for (let count = 0; count < 3; count += 1) await start('PROXY UNKNOWN\r\n').firstLine();
  start(line);
  await poll('one to be held', async () =>
    (await counters(tcpsrun))['held'] === 1 ? true : undefined,
  );
});

t.test('--explain says who is a proxy', async (t) => {
  const cwd = testFolder(t, { 'x.run': 'program sh\nargument sh\n' });
  for (const [address, says] of [
    ['127.0.0.1', /^proxy: its connections begin with a PROXY header/m],
    ['192.0.2.9', /^proxy: no, /m],
  ] as const) {
    const args = [...trusted, '--explain', address, '::', '0', 'x.run'];
    t.match((await runProgram(t, 'tcpsrun', args, { cwd })).stdout.toString(), says);
  }
  for (const [networks, why] of [
    ['x', 'option --proxy-from: "x" is no IPv4 or IPv6 address'],
    ['10.0.0.0/33', 'option --proxy-from: "/33" is no prefix length from 0 to 32'],
    [' ,', 'option --proxy-from: no network is given'],
  ] as const) {
    const args = ['--proxy-from', networks, '::', '0', 'x.run'];
    const { status, stderr } = await runProgram(t, 'tcpsrun', args, { cwd });
    t.equal(status, 100);
    t.ok(stderr.includes(why), stderr);
  }
});

const { cert, key } = makeCertificate(t.testdir({}));

/** pop3d with a certificate behind a proxy on loopback: who needs TLS? */
async function servePop3d(t: Test, workers: number): Promise<Tcpsrun> {
  const args = ['--tls-cert', cert, '--tls-key', key, '%3'];
  const tcpsrun = await startTcpsrun(t, {
    runFile: [
      `program ${process.execPath}`,
      ...['node', builtProgram('pop3d'), ...args].map((argument) => `argument ${argument}`),
    ].join('\n'),
    options: [...trusted, '--workers', String(workers)],
    // From outside it means nothing.
    env: { TCPSRUN_PROXY: '192.0.2.1', SSL_PROTOCOL: 'TLSv1.3' },
  });
  makePasswordDatabase(join(tcpsrun.directory, 'passdb.sqlite'), { 'ann@example.org': 'x' });
  makeInbox(tcpsrun.directory, 'ann@example.org');
  return tcpsrun;
}

for (const workers of [0, 1]) {
  t.test(
    `pop3d believes the header over the kernel, ${workers === 0 ? 'spawned' : 'as a kept worker'}`,
    async (t) => {
      const tcpsrun = await servePop3d(t, workers);
      const session = async (header: string | Buffer, from?: string): Promise<string> => {
        const client = tcpsrun.connect(from);
        const commands = 'CAPA\r\nUSER ann@example.org\r\nPASS x\r\nQUIT\r\n';
        client.socket.write(Buffer.concat([Buffer.from(header), Buffer.from(commands)]));
        return (await client.end()).received;
      };
      if (workers > 0) {
        await poll('the worker to be ready', async () => {
          await session(line);
          return /worker pid=([0-9]+)\n[^]*connect .*pid=\1\n/.test(tcpsrun.program.stderr)
            ? true
            : undefined;
        });
      }
      t.match(await session(line), /STLS\r\n[^]*-ERR \[AUTH\] Logins need encryption/);
      t.match(await session(binaryHeader(inTls)), /^(?![^]*STLS)[^]*\+OK Logged in/);
      await tcpsrun.program.logLine(/login .*user=ann@example\.org .*tls=TLSv1\.3/);
      t.match(
        await session('PROXY UNKNOWN\r\n'),
        /\+OK Logged in/,
        'the proxy itself is on loopback',
      );
      t.match(await session('', '127.0.0.2'), /STLS\r\n[^]*\+OK Logged in/, 'so is a stranger');
      await tcpsrun.program.logLine(/pop3d: connect .*peer=192\.0\.2\.9/);
    },
  );
}
