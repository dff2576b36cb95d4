// AUTH over a real socket, with stored passwords: every mechanism, with and without initial response, and what goes wrong.
// RFC 5034, RFC 4422, RFC 4616, RFC 5802, RFC 7677.

import t, { type Test } from 'tap';
import { clientChannelBindings } from '../../src/auth/mechanisms/channel-binding.js';
import {
  plainClient,
  scramClient,
  type ClientBinding,
} from '../../src/auth/mechanisms/sasl-client.js';
import { loadServerTls } from '../../src/system/tls/tls-server.js';
import { authenticate } from '../support/sessions/authenticate.js';
import { makeCertificate } from '../support/accounts/certificate.js';
import { startSession, type SessionOptions } from '../support/sessions/session-on-socket.js';
import { startTls, type TlsPeer } from '../support/sessions/tls-conversation.js';
import { WireClient } from '../support/sessions/wire-client.js';

const { cert, key } = makeCertificate(t.testdir({}));
const tls = loadServerTls(cert, key);
const username = 'ann@example.org';
const password = Buffer.from('open sesame');
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const plain = base64(`\0${username}\0open sesame`);
const failed = '-ERR [AUTH] Authentication failed';
const loggedIn = '+OK Logged in, 1 message';

async function greeted(t: Test, options: SessionOptions = {}): Promise<WireClient> {
  const { socket } = await startSession(t, options);
  const client = new WireClient(socket, socket);
  await client.status();
  return client;
}

/** Sends lines; each is answered by the line beside it, as in the RFC's examples. */
async function converse(
  t: Test,
  client: WireClient,
  lines: readonly (readonly [sent: string, answer: string])[],
): Promise<void> {
  for (const [sent, answer] of lines) {
    client.write(`${sent}\r\n`);
    t.equal(await client.line(), answer, sent.slice(0, 60));
  }
}

t.test('AUTH alone lists the mechanisms, with or without a space', async (t) => {
  const client = await greeted(t);
  for (const command of ['AUTH', 'AUTH ', 'auth']) {
    t.strictSame(await client.listing(command), ['SCRAM-SHA-256', 'PLAIN', 'LOGIN']);
  }
});

for (const [title, conversation] of [
  ['PLAIN with initial response', [[`AUTH PLAIN ${plain}`, loggedIn]]],
  ['PLAIN in lower case', [[`auth plain ${plain}`, loggedIn]]],
  [
    'PLAIN without',
    [
      ['AUTH PLAIN', '+ '],
      [plain, loggedIn],
    ],
  ],
  [
    'PLAIN with the user as authorization identity',
    [[`AUTH PLAIN ${base64(`${username}\0${username}\0open sesame`)}`, loggedIn]],
  ],
  [
    'LOGIN',
    [
      ['AUTH LOGIN', `+ ${base64('Username:')}`],
      [base64(username), `+ ${base64('Password:')}`],
      [base64('open sesame'), loggedIn],
    ],
  ],
  [
    'LOGIN with the name as initial response',
    [
      [`AUTH LOGIN ${base64(username)}`, `+ ${base64('Password:')}`],
      [base64('open sesame'), loggedIn],
    ],
  ],
] as const) {
  t.test(`${title} logs in`, async (t) => {
    const client = await greeted(t);
    await converse(t, client, conversation);
    t.equal(await client.command('STAT'), '+OK 1 25');
    t.equal(await client.command(`AUTH PLAIN ${plain}`), '-ERR You are logged in already');
  });
}

for (const [title, conversation] of [
  ['a wrong password with PLAIN', [[`AUTH PLAIN ${base64(`\0${username}\0wrong`)}`, failed]]],
  ['an unknown user with PLAIN', [[`AUTH PLAIN ${base64('\0bob@example.org\0x')}`, failed]]],
  [
    'acting as another user',
    [[`AUTH PLAIN ${base64(`bob@example.org\0${username}\0open sesame`)}`, failed]],
  ],
  ['PLAIN with one NUL', [[`AUTH PLAIN ${base64(`${username}\0open sesame`)}`, failed]]],
  ['PLAIN with no NUL', [[`AUTH PLAIN ${base64(username)}`, failed]]],
  ['PLAIN with three NULs', [[`AUTH PLAIN ${base64(`\0${username}\0open sesame\0`)}`, failed]]],
  ['an empty initial response', [['AUTH PLAIN =', failed]]],
  [
    'an empty answer',
    [
      ['AUTH PLAIN', '+ '],
      ['', failed],
    ],
  ],
  [
    'a cancelled exchange',
    [
      ['AUTH PLAIN', '+ '],
      ['*', '-ERR Authentication cancelled'],
    ],
  ],
  [
    'LOGIN cancelled at the password',
    [
      [`AUTH LOGIN ${base64(username)}`, `+ ${base64('Password:')}`],
      ['*', '-ERR Authentication cancelled'],
    ],
  ],
  [
    'LOGIN with an empty name',
    [
      ['AUTH LOGIN =', `+ ${base64('Password:')}`],
      [base64('open sesame'), failed],
    ],
  ],
  [
    'a name with a carriage return in it',
    [[`AUTH PLAIN ${base64(`\0${username}\r\0open sesame`)}`, failed]],
  ],
  [
    'LOGIN with a NUL behind the name',
    [
      [`AUTH LOGIN ${base64(`${username}\0`)}`, `+ ${base64('Password:')}`],
      [base64('open sesame'), failed],
    ],
  ],
  [
    'a name with a tag of 4 KiB',
    [[`AUTH PLAIN ${base64(`\0ann+${'t'.repeat(4096)}@example.org\0open sesame`)}`, failed]],
  ],
  [
    'SCRAM with a NUL in the name',
    [[`AUTH SCRAM-SHA-256 ${base64(`n,,n=${username}\0,r=abc`)}`, failed]],
  ],
  [
    'a challenge answered in clear',
    [
      ['AUTH PLAIN', '+ '],
      ['NOOP now', '-ERR That is not base64'],
    ],
  ],
  ['an unknown mechanism', [['AUTH FOO', '-ERR This mechanism is not offered']]],
  ['CRAM-MD5', [['AUTH CRAM-MD5', '-ERR This mechanism is not offered']]],
  [
    'channel binding without TLS',
    [['AUTH SCRAM-SHA-256-PLUS', '-ERR This mechanism is not offered']],
  ],
  ['more than a mechanism and a response', [[`AUTH PLAIN ${plain} x`, '-ERR Too many arguments']]],
  ['SCRAM with garbage', [[`AUTH SCRAM-SHA-256 ${base64('n,,x')}`, failed]]],
  [
    'SCRAM with channel binding claimed',
    [[`AUTH SCRAM-SHA-256 ${base64(`p=tls-exporter,,n=${username},r=abc`)}`, failed]],
  ],
] as const) {
  t.test(`${title} is refused, and a login still works afterwards`, async (t) => {
    const client = await greeted(t);
    await converse(t, client, [...conversation, ['STAT', '-ERR Log in first']]);
    await converse(t, client, [[`AUTH PLAIN ${plain}`, loggedIn]]);
  });
}

for (const text of [
  '%%%',
  'AGFu bg==',
  'AGFubg',
  'AGFubg=',
  'AGFubg===',
  'AG-_',
  'A',
  '====',
  'AGFubg==AA',
]) {
  t.test(`"${text}" is no base64`, async (t) => {
    const client = await greeted(t);
    if (!text.includes(' ')) {
      t.equal(await client.command(`AUTH PLAIN ${text}`), '-ERR That is not base64');
    }
    await converse(t, client, [
      ['AUTH PLAIN', '+ '],
      [text, '-ERR That is not base64'],
    ]);
  });
}

t.test('lines of up to 12,288 octets are read, and longer ones have one reply', async (t) => {
  const client = await greeted(t);
  const prefix = 'AUTH PLAIN ';
  const longest = 'A'.repeat(12_288 - prefix.length - 1);
  t.equal(await client.command(`${prefix}${longest.slice(0, longest.length & ~3)}`), failed);
  t.equal(await client.command(`${prefix}${'A'.repeat(12_288)}`), '-ERR Line too long');
  await converse(t, client, [
    ['AUTH PLAIN', '+ '],
    ['A'.repeat(12_288), failed],
  ]);
  await converse(t, client, [
    ['AUTH PLAIN', '+ '],
    ['A'.repeat(20_000), '-ERR Line too long'],
  ]);
  t.equal(await client.command(`AUTH PLAIN ${plain}`), loggedIn);
});

t.test('an answer without end closes the connection', async (t) => {
  const client = await greeted(t);
  await converse(t, client, [['AUTH PLAIN', '+ ']]);
  client.write('A'.repeat(200_000));
  t.equal(await client.status(), '-ERR Line too long');
  t.equal((await client.rest()).length, 0);
});

t.test(
  'a client that goes at any octet of an exchange ends its session and no other',
  async (t) => {
    const whole = `AUTH PLAIN\r\n${plain}\r\n`;
    for (let length = 0; length <= whole.length; length += 7) {
      const session = await startSession(t, {});
      session.socket.end(whole.slice(0, length));
      session.socket.resume();
      await session.over();
      t.equal(
        session.log.findLast(({ event }) => event === 'logout')?.fields['reason'],
        'disconnect',
      );
    }
  },
);

t.test('a peer that fails ten times is sent away', async (t) => {
  const client = await greeted(t);
  const wrong = `AUTH PLAIN ${base64(`\0${username}\0wrong`)}`;
  for (let count = 1; count < 10; count += 1) t.equal(await client.command(wrong), failed);
  t.equal(await client.command(wrong), '-ERR Too many failed logins');
  t.equal((await client.rest()).length, 0);
});

t.test('our SASL clients log in, and learn of a wrong password', async (t) => {
  const client = await greeted(t);
  const binding: ClientBinding = { kind: 'none' };
  const wrong = scramClient({ username, password: Buffer.from('wrong'), binding });
  t.equal(await authenticate(client, wrong), failed);
  t.equal(await authenticate(client, scramClient({ username, password, binding })), loggedIn);
  const other = await greeted(t);
  t.equal(await authenticate(other, plainClient({ username, password })), loggedIn);
});

t.test('SCRAM without initial response gets an empty challenge first', async (t) => {
  const client = await greeted(t);
  await converse(t, client, [['AUTH SCRAM-SHA-256', '+ ']]);
  client.write(`${base64(`n,,n=${username},r=abc`)}\r\n`);
  const first = Buffer.from((await client.line()).slice(2), 'base64').toString();
  t.match(first, /^r=abc.{24},s=[A-Za-z0-9+/=]+,i=\d+$/);
  await converse(t, client, [['*', '-ERR Authentication cancelled']]);
});

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  for (const type of ['tls-exporter', 'tls-server-end-point'] as const) {
    if (version === 'TLSv1.2' && type === 'tls-exporter') continue;
    t.test(
      `SCRAM-SHA-256-PLUS with ${type} in ${version}, also in a resumed session`,
      async (t) => {
        let session: Buffer | undefined;
        let endPoint: Buffer | undefined;
        for (const isReused of [false, true]) {
          const inTls = await enter(t, {
            maxVersion: version,
            ...(session === undefined ? {} : { session }),
          });
          t.equal(inTls.socket.isSessionReused(), isReused);
          const bindings = clientChannelBindings(inTls.socket);
          // Node's client forgets the certificate of a session that it resumes.
          endPoint ??= bindings['tls-server-end-point'];
          const data = (type === 'tls-exporter' ? bindings[type] : endPoint) ?? Buffer.alloc(0);
          const scram = scramClient({ username, password, binding: { kind: 'bound', type, data } });
          t.equal(await authenticate(inTls.client, scram), loggedIn);
          // By now TLS 1.3's tickets have come too.
          if (!isReused) session = inTls.socket.getSession();
        }
      },
    );
  }
}

t.test('SCRAM-SHA-256-PLUS bound to another connection is refused', async (t) => {
  const inTls = await enter(t, {});
  const binding = { kind: 'bound', type: 'tls-exporter', data: Buffer.alloc(32) } as const;
  t.equal(await authenticate(inTls.client, scramClient({ username, password, binding })), failed);
});

t.test('a client from whose list somebody took -PLUS is refused', async (t) => {
  const inTls = await enter(t, {});
  const binding = { kind: 'not-offered' } as const;
  t.equal(await authenticate(inTls.client, scramClient({ username, password, binding })), failed);
});

t.test('SCRAM is offered only when an account can use it', async (t) => {
  const hash = '$6$rounds=1000$saltsalt$x';
  const client = await greeted(t, { accounts: { [username]: hash } });
  t.strictSame(await client.listing('AUTH'), ['PLAIN', 'LOGIN']);
  t.equal(await client.command('AUTH SCRAM-SHA-256'), '-ERR This mechanism is not offered');
});

async function enter(
  t: Test,
  options: { readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3'; readonly session?: Buffer },
): Promise<TlsPeer> {
  const { socket } = await startSession(t, { tls, peer: '192.0.2.1', bindsChannels: true });
  return startTls(socket, options);
}
