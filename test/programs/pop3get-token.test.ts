// pop3get with access tokens against servers that refuse them, in the ways that servers do.

import { join } from 'node:path';
import t from 'tap';
import { attack, three, type Attack } from '../support/programs/pop3get-attack.js';
import {
  drop,
  sortedContents,
  type FakeServerOptions,
} from '../support/programs/pop3get-fixture.js';

type Fault = NonNullable<FakeServerOptions['fault']>;

const offering = { capabilities: ['SASL PLAIN XOAUTH2 OAUTHBEARER', 'UIDL', 'USER'] };

/** A server that takes one token, and answers others as `refuse` does. */
function taking(token: string, refuse: Fault): Fault {
  return (line, ...rest) => {
    if (line.startsWith('AUTH')) return '+ \r\n';
    const text = Buffer.from(line, 'base64').toString('latin1');
    if (line === '' || line === 'AQ==') return '-ERR no\r\n';
    if (!text.includes('auth=Bearer ')) return undefined;
    return text.includes(`auth=Bearer ${token}\x01\x01`) ? '+OK\r\n' : refuse(text, ...rest);
  };
}

function bearersOf({ commands }: Attack): readonly string[] {
  return commands.flatMap((line) => {
    const text = Buffer.from(line, 'base64').toString('latin1');
    return /auth=Bearer (.*)\x01\x01/.exec(text)?.[1] ?? [];
  });
}

t.test('a token of 8 kB is sent, after AUTH and in one line', async (t) => {
  const token = 'x'.repeat(8192);
  const result = await attack(t, { ...offering, fault: taking(token, () => '-ERR\r\n') }, [
    ...['--token-command', `head -c 8192 /dev/zero | tr "\\0" x`],
  ]);
  t.equal(result.status, 0, result.stderr);
  t.same(result.stored, sortedContents(three));
  t.same(
    result.commands.filter((line) => line.startsWith('AUTH')),
    ['AUTH OAUTHBEARER'],
  );
  t.same(bearersOf(result), [token]);
});

t.test('after a refused token comes a renewed one, and never a password', async (t) => {
  for (const [name, refuse] of [
    ['an error object', () => '+ eyJzdGF0dXMiOiI0MDEifQ==\r\n'],
    ['-ERR alone', () => '-ERR no\r\n'],
    [
      'the end of the connection',
      (_line, _session, socket) => {
        socket.end('-ERR no\r\n');
        return '';
      },
    ],
  ] as const satisfies readonly (readonly [string, Fault])[]) {
    const renewing = await attack(t, { ...offering, fault: taking('b1', refuse) }, [
      ...['--token-command', 'echo "b$POP3GET_TOKEN_REFUSED"'],
    ]);
    t.equal(renewing.status, 0, `${name}: ${renewing.stderr}`);
    t.equal(bearersOf(renewing).at(-1), 'b1', name);
    const refused = await attack(t, { ...offering, fault: taking('never', refuse) }, [
      ...['--token-command', 'echo "b$POP3GET_TOKEN_REFUSED"'],
    ]);
    t.equal(refused.status, 100, `${name}: ${refused.stderr}`);
    t.match(refused.stderr, /refused the access token of ann/, name);
    t.match(
      refused.stderr,
      /so was a second one: consent anew, such as with pop3token login"/,
      name,
    );
    t.ok(bearersOf(refused).length <= 4, 'each token once with each mechanism');
    t.notOk(
      refused.commands.some((line) => /^(USER|PASS|AUTH PLAIN)/.test(line)),
      name,
    );
    t.equal(refused.left, 3);
  }
});

t.test(
  'a refused token of which there is no other: where it is from, and what to do',
  async (t) => {
    for (const [said, words] of [
      [
        '-ERR no',
        /; --token-command has no other one: consent anew, such as with pop3token login"/,
      ],
      // Another token would be refused like this one.
      [
        '-ERR [AUTH] Your account is not enabled for POP access',
        /POP3 is switched off for this mailbox: switch it on where [^;]*"/,
      ],
    ] as const) {
      const refused = await attack(
        t,
        { ...offering, fault: taking('never', () => `${said}\r\n`) },
        [...['--token-command', 'echo a']],
      );
      t.equal(refused.status, 100, refused.stderr);
      t.match(refused.stderr, words);
      t.notMatch(refused.stderr, / tls=/, 'nothing is said of a session that there was not');
    }
  },
);

t.test('a server that offers no login by token gets none', async (t) => {
  const result = await attack(t, { capabilities: ['SASL PLAIN', 'USER'] }, [
    ...['--token-command', 'echo t'],
  ]);
  t.equal(result.status, 100);
  t.match(result.stderr, /offers no login with an access token .*SASL PLAIN/);
  t.notOk(result.commands.some((line) => /^(USER|PASS|AUTH)/.test(line)));
});

t.test('where a password is refused and tokens are taken, the error says so', async (t) => {
  const result = await attack(t, {
    ...offering,
    fault: (line) => (/^(AUTH|PASS)/.test(line) ? '-ERR [AUTH] no\r\n' : undefined),
  });
  t.equal(result.status, 100);
  t.match(result.stderr, /the server takes access tokens.*--token-command/);
});

t.test('a token and a password, or a method for the other, are usage errors', async (t) => {
  for (const [args, words] of [
    [['--token-command', 'x', '--password-command', 'y'], /a password or an access token/],
    [['--auth', 'xoauth2'], /--auth xoauth2 needs an access token/],
    [['--auth', 'plain', '--token-command', 'x'], /--auth plain needs a password/],
  ] as const) {
    const result = await attack(t, {}, args);
    t.equal(result.status, 100);
    t.match(result.stderr, words);
  }
});

t.test('a token that ends in mid-run is renewed for the next session', async (t) => {
  const count = join(t.testdir(), 'logins');
  const result = await attack(
    t,
    {
      ...offering,
      fault: (line, session, socket, turn) => {
        if (session === 1 && line === 'RETR 2') return drop;
        return taking(session === 1 ? 'a' : 'b', () => '-ERR no\r\n')(line, session, socket, turn);
      },
    },
    [
      '--token-command',
      `if [ -n "$POP3GET_TOKEN_REFUSED" ]; then echo b; else echo x >>${count}; echo a; fi`,
    ],
  );
  t.equal(result.status, 0, result.stderr);
  t.same(result.stored, sortedContents(three));
  t.same([...new Set(bearersOf(result))], ['a', 'b']);
});
