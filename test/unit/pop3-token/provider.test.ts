import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseProvider, readProvider } from '../../../src/pop3-token/provider.js';

t.test('a provider file says where to go and what to ask', (t) => {
  t.match(
    parseProvider(
      'f',
      `# ours
token https://id.example/token
  device   https://id.example/device
scope openid  pop3
client-id some id
grant-days 7
parameter prompt=consent
parameter x=a=b
`,
    ),
    {
      token: 'https://id.example/token',
      device: 'https://id.example/device',
      authorize: null,
      scope: 'openid  pop3',
      clientId: 'some id',
      grantDays: 7,
      parameters: { prompt: 'consent', x: 'a=b' },
    },
  );
  t.end();
});

t.test('what is wrong in it is named by file and line', (t) => {
  for (const [text, error] of [
    ['scope x', /^f: give the address of the token endpoint/],
    ['token http://id.example/', /^f:1: .*must begin with https/],
    ['\ntoken here', /^f:2: "here" is no address/],
    ['token', /^f:1: token needs a value/],
    ['scope a\nscope b', /^f:2: scope is given twice/],
    ['colour red', /^f:1: unknown word "colour"/],
    ['grant-days soon', /^f:1: grant-days needs/],
    ['parameter x', /^f:1: parameter needs NAME=VALUE/],
  ] as const) {
    t.throws(() => parseProvider('f', text), { message: error });
  }
  t.end();
});

t.test('a file with a client secret is for its owner; microsoft and google are built in', (t) => {
  const path = join(t.testdir(), 'provider');
  writeFileSync(path, 'token http://127.0.0.1:1/token\nclient-secret s\n');
  chmodSync(path, 0o644);
  t.throws(() => readProvider(path), { message: /can be read by others: chmod 600/ });
  chmodSync(path, 0o600);
  t.equal(readProvider(path).clientSecret, 's');
  t.match(readProvider('Microsoft').scope, /POP.AccessAsUser.All offline_access/);
  t.equal(readProvider('google').device, null, 'not for mail');
  t.throws(() => readProvider('/nonexistent'), { message: /no such file/ });
  t.end();
});
