// pop3get and servers that refuse a login, in all the ways that servers do: what is tried next, and what is not.

import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { attack, three, type Attack } from '../support/programs/pop3get-attack.js';
import {
  drop,
  makeMaildir,
  sortedContents,
  startFakeServer,
  type FakeServerOptions,
} from '../support/programs/pop3get-fixture.js';
import { builtProgram, runCommand, type Result } from '../support/programs/run-program.js';

type Fault = NonNullable<FakeServerOptions['fault']>;

/** Refuses the lines that match and ends the connection, as several well-known servers do. */
function closeAt(pattern: RegExp, answer = '-ERR no\r\n'): Fault {
  return (line, _session, socket) => {
    if (!pattern.test(line)) return undefined;
    socket.end(answer);
    return '';
  };
}

function loginLines({ commands }: Attack): readonly string[] {
  return commands
    .filter((line) => /^(USER|PASS|APOP|AUTH)\b/.test(line))
    .map((line) => line.replace(/^(AUTH [^ ]+|APOP) .*/, '$1 ...'));
}

async function expectAllFetched(t: Test, result: Attack, method: string): Promise<void> {
  t.equal(result.status, 0, result.stderr);
  t.match(result.stderr, `login=${method}`);
  t.same(result.stored, sortedContents(three));
  return Promise.resolve();
}

const plainAndUser = { capabilities: ['SASL PLAIN', 'UIDL', 'USER'] };

t.test('AUTH announced by a proxy and unknown behind it: USER', async (t) => {
  const result = await attack(t, plainAndUser);
  await expectAllFetched(t, result, 'user');
  t.same(loginLines(result), ['AUTH PLAIN ...', 'USER ann', 'PASS secret']);
});

t.test('AUTH PLAIN refused and the connection closed: USER on a new one', async (t) => {
  for (const answer of ['-ERR Protocol error. Connection is closed. 10\r\n', '']) {
    const result = await attack(t, { ...plainAndUser, fault: closeAt(/^AUTH/, answer) });
    await expectAllFetched(t, result, 'user');
    t.same(loginLines(result).slice(-2), ['USER ann', 'PASS secret']);
    t.equal(result.server.sessions, 2);
  }
});

t.test(
  'AUTH PLAIN with its response refused, and no USER: the response in a step of its own',
  async (t) => {
    for (const isClosing of [false, true]) {
      const refuse = closeAt(/^AUTH PLAIN /);
      const result = await attack(t, {
        capabilities: ['SASL PLAIN', 'UIDL'],
        fault: (line, session, socket, turn) => {
          if (line === 'AUTH PLAIN') return '+ \r\n';
          if (line === 'AGFubgBzZWNyZXQ=') return '+OK\r\n';
          return isClosing ? refuse(line, session, socket, turn) : undefined;
        },
      });
      await expectAllFetched(t, result, 'plain');
      t.same(loginLines(result), ['AUTH PLAIN ...', 'AUTH PLAIN']);
    }
  },
);

t.test(
  'a response behind AUTH PLAIN that the server does not notice is sent once more',
  async (t) => {
    const result = await attack(t, {
      capabilities: ['SASL PLAIN', 'UIDL'],
      fault: (line) => {
        if (line.startsWith('AUTH PLAIN')) return '+ \r\n';
        return line === 'AGFubgBzZWNyZXQ=' ? '+OK\r\n' : undefined;
      },
    });
    await expectAllFetched(t, result, 'plain');
  },
);

for (const [name, greeting, capabilities] of [
  ['SCRAM', '+OK ready\r\n', ['SASL SCRAM-SHA-256 PLAIN', 'UIDL', 'USER']],
  ['APOP', '+OK <1.2@example.org>\r\n', ['SASL PLAIN', 'UIDL', 'USER']],
] as const) {
  t.test(`${name} refused and the connection closed: the next method on a new one`, async (t) => {
    const result = await attack(t, {
      greeting,
      capabilities,
      fault: closeAt(/^(AUTH SCRAM|APOP)/),
    });
    await expectAllFetched(t, result, 'user');
    const first = name === 'SCRAM' ? 'AUTH SCRAM-SHA-256 ...' : 'APOP ...';
    const lines = loginLines(result).filter((line, index, all) => line !== all[index - 1]);
    t.same(lines, [first, 'AUTH PLAIN ...', 'USER ann', 'PASS secret']);
  });
}

t.test('a wrong password costs three attempts at most, one for each method', async (t) => {
  for (const isClosing of [false, true]) {
    const refuse: Fault = isClosing
      ? closeAt(/^(AUTH|PASS)/)
      : (line) => (/^PASS/.test(line) ? '-ERR\r\n' : undefined);
    const result = await attack(t, {
      capabilities: ['SASL SCRAM-SHA-256 PLAIN', 'UIDL', 'USER'],
      fault: refuse,
    });
    t.equal(result.status, 100, result.stderr);
    t.match(result.stderr, /refused the login of ann/);
    t.equal(result.commands.filter((line) => line.startsWith('PASS')).length, 1);
    t.ok(result.server.sessions <= 3, 'connections');
  }
});

t.test(
  '[AUTH] to the password itself, [SYS/PERM] and what passes by itself end the login',
  async (t) => {
    for (const [answer, status] of [
      ['-ERR [AUTH] wrong\r\n', 100],
      ['-ERR [SYS/PERM] gone\r\n', 100],
      ['-ERR [SYS/TEMP] later\r\n', 111],
      ['-ERR maildrop already locked\r\n', 111],
    ] as const) {
      const result = await attack(t, {
        ...plainAndUser,
        fault: (line) => (line.startsWith('AUTH') ? answer : undefined),
      });
      t.equal(result.status, status, result.stderr);
      t.same(loginLines(result), ['AUTH PLAIN ...']);
    }
  },
);

t.test('a locked maildrop is to be tried again, in the words of RFC 1939', async (t) => {
  for (const text of ['unable to lock maildrop', 'maildrop already locked']) {
    const fault: Fault = (line) => (line.startsWith('PASS') ? `-ERR ${text}\r\n` : undefined);
    t.equal((await attack(t, { fault })).status, 111, text);
  }
});

t.test('a connection lost at every login is to be tried again', async (t) => {
  const result = await attack(t, {
    ...plainAndUser,
    fault: (line) => (/^(AUTH|USER)/.test(line) ? drop : undefined),
  });
  t.equal(result.status, 111);
  t.equal(result.server.sessions, 2);
});

t.test('a connection closed at CAPA: once more without, and no more', async (t) => {
  const result = await attack(t, { fault: closeAt(/^CAPA/, '') });
  await expectAllFetched(t, result, 'user');
  t.equal(result.server.sessions, 2);
  const closing = await attack(t, { fault: closeAt(/^(CAPA|USER)/, '') });
  t.equal(closing.status, 111);
  t.equal(closing.server.sessions, 2);
});

/** Runs a shell command in which `pop3get` and `DOMAIN` stand for the program and the server. */
async function runShell(t: Test, command: string, port: number): Promise<Result> {
  const script = command
    .replace('pop3get', '"$0" "$1" --directory "$2" --port "$3"')
    .replace('DOMAIN', '127.0.0.1');
  const words = [process.execPath, builtProgram('pop3get'), makeMaildir(t), String(port)];
  return runCommand(t, 'sh', ['-c', script, ...words]);
}

const octets = Buffer.from('p\xe4ss w\xf6rt', 'latin1');

t.test('a password that is no UTF-8 reaches the server as it is, from every source', async (t) => {
  const file = join(t.testdir({}), 'password');
  writeFileSync(file, Buffer.concat([octets, Buffer.from('\r\nmore\n')]));
  chmodSync(file, 0o600);
  // Only a shell can put such octets on a command line or into the environment.
  const print = '"$(printf \'p\\344ss w\\366rt\')"';
  for (const [source, words] of [
    ['a file', `pop3get --password-file ${file} DOMAIN ann`],
    ['a command', `pop3get --password-command "printf 'p\\344ss w\\366rt\\n'" DOMAIN ann`],
    ['standard input', `printf 'p\\344ss w\\366rt\\n' | pop3get DOMAIN ann -`],
    ['the environment', `POP3GET_PASSWORD=${print} pop3get DOMAIN ann`],
    ['the command line', `pop3get DOMAIN ann ${print}`],
  ] as const) {
    for (const [capabilities, expected] of [
      [['USER', 'UIDL'], 'PASS p\xe4ss w\xf6rt'],
      [
        ['SASL PLAIN', 'UIDL'],
        `AUTH PLAIN ${Buffer.concat([Buffer.from('\0ann\0'), octets]).toString('base64')}`,
      ],
    ] as const) {
      const server = await startFakeServer(t, {
        messages: [],
        capabilities,
        fault: (line) => (line.startsWith('AUTH') ? '+OK\r\n' : undefined),
      });
      const result = await runShell(t, words, server.port);
      t.equal(result.status, 0, result.stderr);
      t.ok(server.commands.includes(expected), `${source}: ${server.commands.join('\n')}`);
    }
  }
});
