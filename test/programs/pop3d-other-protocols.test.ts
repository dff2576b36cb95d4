// Clients that take the port for another protocol's: ended by the limits, and never by a fault.

import { connect } from 'node:tls';
import t from 'tap';
import { makeDuplexPair } from '../support/sessions/duplex-pair.js';
import { startProgram } from '../support/programs/run-program.js';
import { makeSocketPair } from '../support/sessions/socket-pair.js';
import { WireClient } from '../support/sessions/wire-client.js';

/** What a client says first in TLS. */
async function clientHello(): Promise<Buffer> {
  const [end, otherEnd] = makeDuplexPair();
  const hello = new Promise<Buffer>((resolve) => otherEnd.once('data', resolve));
  connect({ socket: end, servername: 'example.org' }).on('error', () => undefined);
  const bytes = await hello;
  return bytes;
}

t.test('a TLS ClientHello on the clear port is waited out, or is bad commands', async (t) => {
  const hello = await clientHello();
  t.equal(hello[0], 0x16, 'a handshake record');
  t.equal(hello.readUInt16BE(3), hello.length - 5, 'and a whole one');
  // Four line feeds in it would be too many bad commands.
  for (const [bytes, reason] of [
    [hello, /reason=(?:timeout|error)/],
    [Buffer.concat([hello, Buffer.from('\n\n\n\n')]), /reason=error/],
  ] as const) {
    const pair = await makeSocketPair();
    const program = startProgram(t, 'pop3d', ['--login-timeout', '3'], {
      fds: [pair.server, pair.server],
    });
    pair.server.destroy();
    const client = new WireClient(pair.client, pair.client);
    await client.status();
    client.write(bytes);
    const replies = (await client.rest()).toString('latin1');
    t.match(replies, /^(?:-ERR [ -~]*\r\n)*$/, 'nothing else, and no octet of its own comes back');
    client.end();
    t.strictSame(await program.ending, { status: 0, signal: null });
    t.match(program.stderr, reason);
  }
});

t.test('a request of HTTP and a greeting of SMTP are bad commands', async (t) => {
  const get = 'GET / HTTP/1.1\r\nHost: example.org\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n';
  for (const text of [get, 'EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nDATA\r\nQUIT\r\n']) {
    const program = startProgram(t, 'pop3d', []);
    const client = new WireClient(program.stdout, program.stdin);
    await client.status();
    client.write(text);
    const replies = (await client.rest()).toString();
    t.match(replies, /^(?:-ERR [^\n]*\r\n){3}-ERR Too many bad commands\r\n$/);
    client.end();
    t.equal((await program.ending).status, 0);
  }
});
