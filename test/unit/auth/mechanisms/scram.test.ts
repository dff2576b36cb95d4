// Both sides of SCRAM-SHA-256: RFC 7677 §3's example octet by octet, then each against the other and against cheats.

import t from 'tap';
import { unlimited } from '../../../../src/auth/accounts/grant.js';
import type { Authenticator, ScramLookup } from '../../../../src/auth/accounts/authenticator.js';
import {
  SaslCredentialsError,
  SaslServerError,
  scramClient,
  type ClientBinding,
} from '../../../../src/auth/mechanisms/sasl-client.js';
import type { ChannelBindings, SaslStep } from '../../../../src/auth/mechanisms/sasl-mechanism.js';
import { deriveScramCredentials } from '../../../../src/auth/stored/scram-keys.js';
import { ScramServer } from '../../../../src/auth/mechanisms/scram-server.js';

const example = {
  clientFirst: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  serverFirst:
    'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  clientFinal:
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};
const clientNonce = 'rOprNGfwEbeRWgbNEkqO';
const serverNonce = '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
const identity = { user: 'user', domain: 'example.org' };

/** Knows one account; remembers under which names it was asked for. */
async function accountOf(
  password: string,
): Promise<{ authenticator: Authenticator; asked: string[] }> {
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
  const credentials = await deriveScramCredentials(Buffer.from(password), salt, 4096);
  const key = { ...credentials, grant: unlimited, refusal: null };
  const asked: string[] = [];
  const lookUpScram = (name: Buffer): Promise<ScramLookup> => {
    asked.push(name.toString());
    return Promise.resolve(
      name.toString() === 'locked'
        ? { found: 'unavailable', isLasting: false, reason: 'locked' }
        : name.toString() === 'nobody'
          ? { found: 'decoy', reason: 'unknown user', credentials }
          : {
              found: 'credentials',
              ...{ identity, credentials, passwords: [key], mismatch: 'wrong password' },
            },
    );
  };
  const unused = (): never => {
    throw new Error('not part of SCRAM');
  };
  return {
    asked,
    authenticator: {
      lookUpScram,
      verifyPassword: unused,
      lookUpPlain: unused,
      offersScram: unused,
      leastDays: unused,
      close: unused,
    },
  };
}

interface ServerSide {
  readonly isPlus?: boolean;
  readonly channelBindings?: ChannelBindings | null;
  readonly password?: string;
}

async function serverFor({
  isPlus = false,
  channelBindings = null,
  password = 'pencil',
}: ServerSide): Promise<ScramServer> {
  return new ScramServer({
    authenticator: (await accountOf(password)).authenticator,
    isPlus,
    offersPlus: channelBindings !== null,
    channelBindings,
    makeNonce: () => serverNonce,
  });
}

function clientFor(
  password: string,
  binding: ClientBinding = { kind: 'none' },
  username = 'user',
): ReturnType<typeof scramClient> {
  return scramClient({
    username,
    password: Buffer.from(password),
    binding,
    makeNonce: () => clientNonce,
  });
}

function textOf(step: SaslStep): string {
  return step.step === 'challenge' ? step.challenge.toString() : `(${step.step})`;
}

t.test("the server answers RFC 7677's example as the RFC does", async (t) => {
  const server = await serverFor({});
  t.same(await server.start(null), { step: 'challenge', challenge: Buffer.alloc(0) });
  t.equal(textOf(await server.respond(Buffer.from(example.clientFirst))), example.serverFirst);
  t.equal(textOf(await server.respond(Buffer.from(example.clientFinal))), example.serverFinal);
  t.same(await server.respond(Buffer.alloc(0)), { step: 'accepted', identity, grant: unlimited });
});

t.test("the client says what RFC 7677's example says", async (t) => {
  const client = clientFor('pencil');
  t.equal(client.name, 'SCRAM-SHA-256');
  t.equal((await client.initialResponse()).toString(), example.clientFirst);
  t.equal((await client.respond(Buffer.from(example.serverFirst))).toString(), example.clientFinal);
  t.throws(() => client.finish(), /did not prove/);
  t.equal((await client.respond(Buffer.from(example.serverFinal))).length, 0);
  client.finish();
});

/** Runs both to the end. @returns the server's last step */
async function converse(
  server: ScramServer,
  client: ReturnType<typeof scramClient>,
): Promise<SaslStep> {
  let step = await server.start(await client.initialResponse());
  while (step.step === 'challenge')
    step = await server.respond(await client.respond(step.challenge));
  if (step.step === 'accepted') client.finish();
  return step;
}

t.test(
  'names with commas and equals signs, and passwords in other forms, come through',
  async (t) => {
    const { authenticator, asked } = await accountOf('caf\u00e9');
    const server = new ScramServer({
      authenticator,
      isPlus: false,
      offersPlus: false,
      channelBindings: null,
    });
    const client = clientFor('cafe\u0301', { kind: 'none' }, 'a=b,c=2C@example.org');
    t.same(await converse(server, client), { step: 'accepted', identity, grant: unlimited });
    t.same(asked, ['a=b,c=2C@example.org']);
  },
);

t.test('a wrong password, and an unknown user, fail after the same exchange', async (t) => {
  t.same(await converse(await serverFor({}), clientFor('crayon')), {
    step: 'rejected',
    reason: 'wrong password',
    name: Buffer.from('user'),
  });
  t.same(await converse(await serverFor({}), clientFor('pencil', { kind: 'none' }, 'nobody')), {
    step: 'rejected',
    reason: 'unknown user',
    name: Buffer.from('nobody'),
  });
});

t.test('a database that cannot be read is no wrong password', async (t) => {
  t.match(await converse(await serverFor({}), clientFor('pencil', { kind: 'none' }, 'locked')), {
    step: 'unavailable',
    isLasting: false,
  });
});

const exporter = Buffer.alloc(32, 7);
const endPoint = Buffer.alloc(32, 8);
const channelBindings = { 'tls-exporter': exporter, 'tls-server-end-point': endPoint };

for (const [type, data] of Object.entries(channelBindings)) {
  t.test(`-PLUS binds to ${type}, and not to another connection`, async (t) => {
    const binding = { kind: 'bound', type: type as keyof typeof channelBindings, data } as const;
    t.equal(clientFor('pencil', binding).name, 'SCRAM-SHA-256-PLUS');
    const server = await serverFor({ isPlus: true, channelBindings });
    t.same(await converse(server, clientFor('pencil', binding)), {
      step: 'accepted',
      identity,
      grant: unlimited,
    });
    const between = await serverFor({
      isPlus: true,
      channelBindings: { [type]: Buffer.alloc(32, 9) },
    });
    t.match(await converse(between, clientFor('pencil', binding)), {
      step: 'rejected',
      reason: 'channel binding differs',
    });
  });
}

t.test(
  'a client whose -PLUS was taken from the list is refused; without -PLUS here it is not',
  async (t) => {
    const client = (): ReturnType<typeof scramClient> =>
      clientFor('pencil', { kind: 'not-offered' });
    t.match(await converse(await serverFor({ channelBindings }), client()), {
      step: 'rejected',
      reason: 'channel binding was downgraded',
    });
    t.same(await converse(await serverFor({}), client()), {
      step: 'accepted',
      identity,
      grant: unlimited,
    });
  },
);

t.test('what is not a first message, or asks for what is not there, is refused', async (t) => {
  const rows: readonly (readonly [message: string | Buffer, reason: string, isPlus?: boolean])[] = [
    ['', 'malformed SCRAM message'],
    ['n,,', 'malformed SCRAM message'],
    ['n=user,r=abc', 'malformed SCRAM message'],
    ['x,,n=user,r=abc', 'malformed SCRAM message'],
    ['n,,n=user,r=', 'malformed SCRAM message'],
    ['n,,n=user,r=a\u00e9', 'malformed SCRAM message'],
    ['n,,n=user,r=a b', 'malformed SCRAM message'],
    ['n,,n=,r=abc', 'malformed SCRAM message'],
    ['n,,n=us=er,r=abc', 'malformed SCRAM message'],
    ['n,,n=us\0er,r=abc', 'malformed SCRAM message'],
    ['n,,m=ext,n=user,r=abc', 'malformed SCRAM message'],
    ['n,,r=abc,n=user', 'malformed SCRAM message'],
    ['n,,n=user,r=abc\n', 'malformed SCRAM message'],
    [
      Buffer.from([0x6e, 0x2c, 0x2c, 0x6e, 0x3d, 0xff, 0x2c, 0x72, 0x3d, 0x61]),
      'malformed SCRAM message',
    ],
    [`n,,n=${'u'.repeat(5000)},r=abc`, 'malformed SCRAM message'],
    ['n,a=admin,n=user,r=abc', 'asked to act as another user'],
    ['p=tls-exporter,,n=user,r=abc', 'channel binding with a mechanism that has none'],
    ['p=tls-unique,,n=user,r=abc', 'no channel binding of type tls-unique here', true],
    ['n,,n=user,r=abc', 'SCRAM-SHA-256-PLUS without channel binding', true],
    ['y,,n=user,r=abc', 'channel binding was downgraded', true],
  ];
  for (const [message, reason, isPlus = false] of rows) {
    const server = await serverFor({ isPlus, channelBindings: isPlus ? channelBindings : null });
    t.match(
      await server.start(Buffer.from(message)),
      { step: 'rejected', reason },
      String(message).slice(0, 40),
    );
  }
  const server = await serverFor({});
  t.match(
    await server.start(Buffer.from('n,a=user,n=user,r=abc,x=y')),
    { step: 'challenge' },
    'oneself is nobody else',
  );
});

t.test('what is not the final message of this exchange is refused', async (t) => {
  const good = example.clientFinal;
  const rows: readonly (readonly [message: string, reason: string])[] = [
    ['', 'malformed SCRAM message'],
    [good.replace(/,p=.*/, ''), 'malformed SCRAM message'],
    [good.replace('c=biws', 'c=biw'), 'malformed SCRAM message'],
    [good.replace('c=biws', 'c=eSws'), 'channel binding differs'],
    [good.replace('hNlF', 'hNlG'), 'SCRAM nonce differs'],
    [good.replace(`${serverNonce},`, ','), 'SCRAM nonce differs'],
    [good.replace('p=dHzb', 'p=eHzb'), 'wrong password'],
    [good.replace(/p=.*/, 'p='), 'wrong password'],
    [good.replace(',p=', ',x=y,p='), 'wrong password'],
  ];
  for (const [message, reason] of rows) {
    const server = await serverFor({});
    await server.start(Buffer.from(example.clientFirst));
    t.match(await server.respond(Buffer.from(message)), { step: 'rejected', reason }, message);
  }
});

t.test('text after the last message is refused', async (t) => {
  const server = await serverFor({});
  await server.start(Buffer.from(example.clientFirst));
  await server.respond(Buffer.from(example.clientFinal));
  t.match(await server.respond(Buffer.from('x')), { step: 'rejected' });
});

t.test('the client believes no server that cannot prove itself', async (t) => {
  const first = example.serverFirst;
  const rows: readonly (readonly [serverFirst: string, message: RegExp])[] = [
    ['', /malformed/],
    ['e=other-error', /malformed/],
    [first.replace(clientNonce, 'anotherNonce'), /nonce/],
    [first.replace(serverNonce, ''), /nonce/],
    [first.replace('i=4096', 'i=1'), /1 SCRAM iterations/],
    [first.replace('i=4096', 'i=2000000001'), /2000000001 SCRAM iterations/],
    [first.replace('s=W22', 's=W2'), /malformed/],
  ];
  for (const [serverFirst, message] of rows) {
    const client = clientFor('pencil');
    await client.initialResponse();
    await t.rejects(client.respond(Buffer.from(serverFirst)), {
      constructor: SaslServerError,
      message,
    });
  }
  for (const final of [
    'v=AAAA',
    `v=${Buffer.alloc(32).toString('base64')}`,
    'e=invalid-proof',
    '',
  ]) {
    const client = clientFor('pencil');
    await client.initialResponse();
    await client.respond(Buffer.from(first));
    await t.rejects(client.respond(Buffer.from(final)), /cannot prove/);
    t.throws(() => client.finish(), /did not prove/);
  }
});

t.test('the client refuses names and passwords that SASLprep prohibits', async (t) => {
  await t.rejects(clientFor('').initialResponse(), {
    constructor: SaslCredentialsError,
    message: /password/,
  });
  await t.rejects(clientFor('x', { kind: 'none' }, 'a\u0007b').initialResponse(), /user name/);
});
