import t from 'tap';
import { bearerClient } from '../../../../src/auth/mechanisms/bearer-client.js';

const credentials = {
  username: 'a=n,n@example.org',
  token: 'vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==',
  host: 'server.example.com',
  port: 995,
};

t.test('OAUTHBEARER says what RFC 7628 §4.1 shows, with = and , of the name encoded', async (t) => {
  const client = bearerClient('OAUTHBEARER', credentials);
  t.equal(
    (await client.initialResponse()).toString(),
    `n,a=a=3Dn=2Cn@example.org,\x01host=server.example.com\x01port=995\x01auth=Bearer ${credentials.token}\x01\x01`,
  );
  t.equal(client.refusal, null);
  client.finish();
});

t.test('XOAUTH2 has the name as it is', async (t) => {
  const client = bearerClient('XOAUTH2', credentials);
  t.equal(
    (await client.initialResponse()).toString(),
    `user=a=n,n@example.org\x01auth=Bearer ${credentials.token}\x01\x01`,
  );
});

t.test(
  'what the server says of a refused token is kept, and answered as each mechanism wants',
  async (t) => {
    const refusal = Buffer.from(
      '{"status":"insufficient_scope","schemes":"bearer","scope":"pop3"}',
    );
    const oauthbearer = bearerClient('OAUTHBEARER', credentials);
    t.equal((await oauthbearer.respond(refusal)).toString('base64'), 'AQ==');
    t.same(oauthbearer.refusal, { status: 'insufficient_scope', scope: 'pop3' });
    t.throws(() => oauthbearer.finish(), /just refused/);
    await t.rejects(oauthbearer.respond(refusal), /goes on/);
    const xoauth2 = bearerClient('XOAUTH2', credentials);
    t.equal((await xoauth2.respond(Buffer.from('{"status":401,"scope":""}'))).length, 0);
    t.same(xoauth2.refusal, { status: '401', scope: null });
  },
);

t.test('a challenge that is no object is a refusal without a reason', async (t) => {
  for (const text of ['', 'no', 'null', '7', '{"status":{}}']) {
    const client = bearerClient('OAUTHBEARER', credentials);
    await client.respond(Buffer.from(text));
    t.same(client.refusal, { status: '', scope: null }, text);
  }
});

t.test('a name with a control character is refused: it would end its field', async (t) => {
  const client = bearerClient('XOAUTH2', { ...credentials, username: 'ann\x01auth=x' });
  await t.rejects(client.initialResponse(), /control characters/);
});
