// CAPA says exactly what is to be had: in the clear, in the clear with a certificate, in TLS, after the login; and where
// logins need TLS, they are refused without it. RFC 2449 §5, RFC 2595 §2, §4.

import t, { type Test } from 'tap';
import { loadServerTls } from '../../src/system/tls/tls-server.js';
import { makeCertificate } from '../support/accounts/certificate.js';
import { startSession, type SessionOptions } from '../support/sessions/session-on-socket.js';
import { startTls } from '../support/sessions/tls-conversation.js';
import { WireClient } from '../support/sessions/wire-client.js';

const { cert, key } = makeCertificate(t.testdir({}));
const tls = loadServerTls(cert, key);
const stranger = '192.0.2.1';
const always = [
  ...['UTF8 USER', 'LANG', 'TOP', 'UIDL', 'PIPELINING', 'RESP-CODES', 'AUTH-RESP-CODE'],
  ...['EXPIRE NEVER', 'IMPLEMENTATION pop3d'],
];
const inClear = ['USER', 'SASL SCRAM-SHA-256 PLAIN LOGIN', ...always];
const inTls = inClear;
const bound = ['USER', 'SASL SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN', ...always];
const refusal =
  '-ERR [AUTH] Logins need encryption here: switch on TLS in your mail program (STLS on port 110, or SSL/TLS on port 995)';

async function greeted(t: Test, options: SessionOptions): Promise<WireClient> {
  const { socket } = await startSession(t, options);
  const client = new WireClient(socket, socket);
  await client.status();
  return client;
}

async function login(client: WireClient): Promise<void> {
  await client.ok('USER ann@example.org');
  await client.ok('PASS open sesame');
}

t.test('CAPA without a certificate, before and after the login', async (t) => {
  const client = await greeted(t, { peer: stranger });
  t.strictSame(await client.listing('CAPA'), inClear);
  t.equal(await client.command('CAPA x'), '-ERR This command takes no arguments');
  await login(client);
  t.strictSame(await client.listing('CAPA'), inClear);
});

t.test('CAPA with a certificate, in the clear: STLS, and no way to log in', async (t) => {
  const client = await greeted(t, { tls, peer: stranger });
  t.strictSame(await client.listing('CAPA'), ['STLS', ...always]);
});

t.test('CAPA in TLS: no STLS any more, all mechanisms, the same after the login', async (t) => {
  const { socket } = await startSession(t, { tls, peer: stranger });
  const { client } = await startTls(socket);
  t.strictSame(await client.listing('CAPA'), inTls);
  await login(client);
  t.strictSame(await client.listing('CAPA'), inTls);
});

t.test('SCRAM-SHA-256-PLUS is announced, and to be had, only where it was asked for', async (t) => {
  const { client } = await startTls((await startSession(t, { tls, peer: stranger })).socket);
  t.equal(await client.command('AUTH SCRAM-SHA-256-PLUS'), '-ERR This mechanism is not offered');
  const asked = await startSession(t, { tls, peer: stranger, bindsChannels: true });
  t.strictSame(await (await startTls(asked.socket)).client.listing('CAPA'), bound);
});

t.test('CAPA with a certificate for a peer on this machine: STLS and logins', async (t) => {
  const client = await greeted(t, { tls, peer: '127.0.0.1' });
  t.strictSame(await client.listing('CAPA'), ['STLS', ...inClear]);
  await login(client);
  t.strictSame(await client.listing('CAPA'), inClear, 'STLS is of AUTHORIZATION only');
});

t.test('no SCRAM where no stored password allows it', async (t) => {
  const client = await greeted(t, { accounts: { 'ann@example.org': '$6$saltsalt$x' } });
  t.strictSame(await client.listing('CAPA'), ['USER', 'SASL PLAIN LOGIN', ...always]);
});

for (const command of [
  'USER ann@example.org',
  'PASS open sesame',
  'AUTH',
  'AUTH PLAIN',
  'AUTH PLAIN AGFubgB4',
  'AUTH SCRAM-SHA-256',
]) {
  t.test(`${command} in the clear is refused, with what to switch on`, async (t) => {
    const client = await greeted(t, { tls, peer: stranger });
    t.equal(await client.command(command), refusal);
    t.equal(await client.command('STAT'), '-ERR Log in first');
  });
}

t.test('whoever has no address is no loopback peer', async (t) => {
  const client = await greeted(t, { tls });
  t.equal(await client.command('USER ann@example.org'), refusal);
});

for (const [peer, isLoopback] of [
  ['127.0.0.1', true],
  ['127.255.0.9', true],
  ['::1', true],
  ['128.0.0.1', false],
  ['::2', false],
  ['127.example.org', false],
  ['fe80::1', false],
] as const) {
  t.test(`${peer} ${isLoopback ? 'may' : 'may not'} log in without TLS`, async (t) => {
    const client = await greeted(t, { tls, peer });
    t.equal((await client.command('USER ann@example.org')).startsWith('+OK'), isLoopback);
  });
}

t.test('where cleartext is allowed, anybody may log in without TLS', async (t) => {
  const client = await greeted(t, { tls, peer: stranger, allowsCleartext: true });
  t.strictSame(await client.listing('CAPA'), ['STLS', ...inClear]);
  await login(client);
});
