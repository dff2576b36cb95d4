// pop3token against a real OAuth server: logging in, printing, renewing, and what ends.

import { chmodSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startOAuthServer } from '../support/oauth/oauth-server.js';
import { Pop3token } from '../support/oauth/pop3token-fixture.js';

const user = 'ann@example.org';

t.test('a login by device flow gives tokens, renewed when they end or are refused', async (t) => {
  const oauth = await startOAuthServer(t);
  const pop3token = new Pop3token(t, oauth);
  const loggedIn = await pop3token.logIn('ann', user);
  t.equal(loggedIn.status, 0, loggedIn.stderr);
  t.match(
    loggedIn.stderr,
    /^Open http:\/\/127.0.0.1:\d+\/device and enter the code [A-Z]{4}-[A-Z]{4}$/m,
  );
  t.match(loggedIn.stdout.toString(), /^ann provider=\S+ token-expires=/);

  const first = await pop3token.run(['ann']);
  t.equal(first.status, 0, first.stderr);
  t.match(first.stdout.toString(), /^\S{40,}\n$/);
  t.equal((await pop3token.run(['print', 'ann'])).stdout.toString(), first.stdout.toString());

  const renewed = await pop3token.run(['ann'], { POP3GET_TOKEN_REFUSED: '1' });
  t.equal(renewed.status, 0, renewed.stderr);
  t.not(renewed.stdout.toString(), first.stdout.toString(), 'after a refusal');

  pop3token.change('ann', { expiresAt: Date.now() + 1000 });
  const again = await pop3token.run(['ann']);
  t.not(again.stdout.toString(), renewed.stdout.toString(), 'near its end');
  t.equal((await pop3token.run(['ann'])).stdout.toString(), again.stdout.toString());

  t.match((await pop3token.run(['list'])).stdout.toString(), /^ann provider=/);
  for (const name of readdirSync(pop3token.state).filter((name) => name.startsWith('ann'))) {
    t.equal(statSync(join(pop3token.state, name)).mode & 0o777, 0o600, name);
  }
  t.equal(statSync(pop3token.state).mode & 0o777, 0o700);
  const secret = String(pop3token.read('ann')['refreshToken']);
  for (const { stdout, stderr } of [loggedIn, first, renewed, again]) {
    t.notOk(`${stdout.toString()}${stderr}`.includes(secret), 'the refresh token is nowhere');
  }
  t.equal((await pop3token.run(['logout', 'ann'])).status, 0);
  t.equal((await pop3token.run(['logout', 'ann'])).status, 1);
  const gone = await pop3token.run(['ann']);
  t.equal(gone.status, 100);
  t.match(gone.stderr, /no grant called ann: pop3token login ann --provider/);
});

t.test(
  'a login by redirect with PKCE; of several at once one renews; what ends is told',
  async (t) => {
    const oauth = await startOAuthServer(t);
    const pop3token = new Pop3token(t, oauth);
    const loggedIn = await pop3token.logIn('ann@work', user, ['--flow', 'redirect']);
    t.equal(loggedIn.status, 0, loggedIn.stderr);

    const before = oauth.requests.get('/token') ?? 0;
    pop3token.change('ann@work', { expiresAt: Date.now() - 1 });
    const results = await Promise.all([1, 2, 3].map(() => pop3token.run(['ann@work'])));
    t.same(
      results.map(({ status }) => status),
      [0, 0, 0],
    );
    t.equal(new Set(results.map(({ stdout }) => stdout.toString())).size, 1, 'one token');
    t.equal((oauth.requests.get('/token') ?? 0) - before, 1, 'one refresh');

    pop3token.change('ann@work', {
      ...{ grantedAt: Date.now() - 6 * 86_400_000, endsAt: Date.now() + 86_300_000 },
      expiresAt: Date.now() + 200_000,
    });
    oauth.answers.set('/token', [{ status: 503, body: '{}' }]);
    const meanwhile = await pop3token.run(['ann@work']);
    t.equal(meanwhile.status, 0, 'the server is down for a moment, and the token is valid still');
    t.match(meanwhile.stderr, /ends in 1 day, on \d{4}-\d\d-\d\d: consent again before, at http/);
    t.match(meanwhile.stderr, /HTTP status 503; the token that is there goes on/);

    pop3token.change('ann@work', { expiresAt: Date.now() - 1, endsAt: null });
    oauth.answers.set('/token', [{ status: 503, body: 'busy' }]);
    t.equal((await pop3token.run(['ann@work'])).status, 111, 'it is not valid any more');

    await oauth.revoke(String(pop3token.read('ann@work')['refreshToken']));
    const dead = await pop3token.run(['ann@work']);
    t.equal(dead.status, 100, dead.stderr);
    t.match(
      dead.stderr,
      /the grant of ann@work has ended .* consent again at http:\S+: pop3token login ann@work/,
    );
  },
);

t.test(
  'what is wrong with a command line, a provider or the state directory is said',
  async (t) => {
    const oauth = await startOAuthServer(t);
    const pop3token = new Pop3token(t, oauth);
    for (const [args, words, status] of [
      [['login', 'x'], /login x needs --provider/, 100],
      [['login'], /login needs the name of a grant/, 100],
      [['nothing', 'x'], /unknown command "nothing"/, 100],
      [
        ['--provider', 'microsoft', 'login', 'x'],
        /microsoft knows programs by an id: .*--client-id/,
        100,
      ],
      [
        ['--provider', '/nonexistent', 'login', 'x'],
        /microsoft, google or a file, and \/nonexistent/,
        100,
      ],
      [
        ['--provider', pop3token.provider, '--client-id', 'nobody', 'login', 'x'],
        /refuses: invalid_client/,
        100,
      ],
    ] as const) {
      const result = await pop3token.run(args);
      t.equal(result.status, status, result.stderr);
      t.match(result.stderr, words);
    }
    const secret = join(pop3token.state, 'secret');
    writeFileSync(secret, 'a client secret\n');
    const open = ['--provider', 'google', '--client-id', 'x', '--client-secret-file', secret];
    const result = await pop3token.run([...open, 'login', 'x']);
    t.equal(result.status, 100, result.stderr);
    t.match(result.stderr, /holds a client secret and can be read by others: chmod 600/);
    writeFileSync(pop3token.path('broken'), '{}', { mode: 0o600 });
    t.equal((await pop3token.logIn('whole', user)).status, 0);
    const listed = await pop3token.run(['list']);
    t.equal(listed.status, 100);
    t.match(listed.stderr, /broken.json is no grant of pop3token's: remove it and log in again/);
    t.match(listed.stdout.toString(), /^whole provider=/, 'a broken one hides no other');
    chmodSync(pop3token.state, 0o755);
    t.match((await pop3token.run(['list'])).stderr, /is open to others: chmod 700/);
  },
);
