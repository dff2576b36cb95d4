// APOP: only when asked for, only for passwords stored as they are. RFC 1939 §7; RFC 6151 says why not.

import t, { type Test } from 'tap';
import { loadServerTls } from '../../src/system/tls/tls-server.js';
import { apopDigest } from '../../src/auth/mechanisms/apop.js';
import { makeCertificate } from '../support/accounts/certificate.js';
import { startSession, type SessionOptions } from '../support/sessions/session-on-socket.js';
import { WireClient } from '../support/sessions/wire-client.js';

const timestamp = '<1896.697170952@dbc.mtview.ca.us>';
/** Of `open sesame`. */
const hashed =
  '$6$saltsalt$e/5XKibXPLqVcfjpD.ouauaJrAOL5V0uo80Lt7n7EbRdRiCx3HbQ90yjOHr.G0T.mx79PEMRy8nmtr0qSYhQp1';
const failed = '-ERR [AUTH] Authentication failed';

async function greeted(t: Test, options: SessionOptions): Promise<[WireClient, string]> {
  const { socket } = await startSession(t, options);
  const client = new WireClient(socket, socket);
  return [client, await client.status()];
}

t.test("RFC 1939's example logs in", async (t) => {
  const accounts = { 'mrose@example.org': 'tanstaaf' };
  const [client, greeting] = await greeted(t, { accounts, apopTimestamp: timestamp });
  t.equal(greeting, `+OK POP3 server ready ${timestamp}`);
  const command = 'APOP mrose@example.org c4c9334bac560ecc979e58001b3e22fb';
  t.match(await client.command(command), /^\+OK Logged in/);
  t.equal(await client.command(command), '-ERR You are logged in already');
});

t.test('wrong digests, unknown users and hashed passwords are refused alike', async (t) => {
  const accounts = { 'ann@example.org': 'open sesame', 'eve@example.org': hashed };
  const [client] = await greeted(t, { accounts, apopTimestamp: timestamp });
  const digest = apopDigest(timestamp, Buffer.from('open sesame'));
  for (const argument of [
    `ann@example.org ${digest.toUpperCase()}`,
    `ann@example.org ${digest.slice(1)}`,
    `ann@example.org ${apopDigest('<other@x>', Buffer.from('open sesame'))}`,
    `bob@example.org ${digest}`,
    `eve@example.org ${digest}`,
  ]) {
    t.equal(await client.command(`APOP ${argument}`), failed, argument);
  }
  t.match(await client.command(`APOP ann@example.org ${digest}`), /^\+OK/);
});

t.test('APOP without name, digest or timestamp is refused', async (t) => {
  const [client] = await greeted(t, { apopTimestamp: timestamp });
  for (const command of ['APOP', 'APOP ann@example.org']) {
    t.equal(await client.command(command), '-ERR Give a user name and a digest');
  }
  t.equal(await client.command('APOP a b c'), '-ERR Too many arguments');
  const [without, greeting] = await greeted(t, {});
  t.equal(greeting, '+OK POP3 server ready');
  t.equal(
    await without.command(`APOP ann@example.org ${'0'.repeat(32)}`),
    '-ERR APOP is not offered',
  );
});

t.test('APOP in the clear is refused where logins need TLS', async (t) => {
  const { cert, key } = makeCertificate(t.testdir({}));
  const [client] = await greeted(t, {
    tls: loadServerTls(cert, key),
    peer: '192.0.2.1',
    apopTimestamp: timestamp,
  });
  const digest = apopDigest(timestamp, Buffer.from('open sesame'));
  t.match(await client.command(`APOP ann@example.org ${digest}`), /^-ERR \[AUTH\] Logins need/);
});
