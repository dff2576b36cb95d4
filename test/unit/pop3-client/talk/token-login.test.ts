import { PassThrough } from 'node:stream';
import t from 'tap';
import { Pop3Client } from '../../../../src/pop3-client/talk/client.js';
import { TokenLogin } from '../../../../src/pop3-client/talk/token-login.js';

t.test('without TLS a token is asked for and sent only on the way to this machine', async (t) => {
  const { signal } = new AbortController();
  const stream = new PassThrough();
  const client = new Pop3Client(stream, 1000, signal);
  let reads = 0;
  const source = {
    name: 'test',
    read: () => {
      reads += 1;
      return Promise.resolve('token');
    },
  };
  const login = new TokenLogin({
    user: 'ann',
    source,
    mode: 'auto',
    signal,
    preferred: () => null,
  });
  const offer = {
    capabilities: new Map([['SASL', ['OAUTHBEARER', 'XOAUTH2']]]),
    ...{ timestamp: null, isProtected: false },
    peer: { host: 'mail.example.org', port: 110, isLoopback: false },
  };
  await t.rejects(login.tryOn(client, offer), /never sent without TLS/);
  t.equal(reads, 0);
  t.equal(stream.readableLength, 0, 'nothing was written');
  client.destroy();
});
