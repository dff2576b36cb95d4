// pop3get against servers that announce what they have not got, list what makes no sense, and leave QUIT in the dark.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { attack, three } from '../support/programs/pop3get-attack.js';
import {
  hangUp,
  makeMaildir,
  numberedMessage,
  numberedMessages,
  runPop3get,
  silence,
  sortedContents,
  startFakeServer,
  storedContents,
  type FakeServer,
} from '../support/programs/pop3get-fixture.js';

/** Neither the password nor who has one. */
const login = /USER|PASS|AUTH|APOP/;

t.test('a greeting of other octets than text is no POP3 server', async (t) => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const noise = Buffer.concat([bytes, Buffer.from('\r\n')]);
  for (const greeting of [noise, Buffer.from('\x16\x03\x01\x02\r\n', 'latin1'), '\0+OK\r\n']) {
    const { status, stderr, commands } = await attack(t, { greeting });
    t.equal(status, 111);
    t.match(stderr, /where a reply was due|LF alone/);
    t.notMatch(stderr, /[^ -~\n]/, 'what it sent is not printed as it is');
    t.notMatch(commands.join('\n'), login);
  }
});

for (const [direct, method, capabilities] of [
  ['AUTH PLAIN ', 'plain', ['SASL SCRAM-SHA-256 PLAIN', 'USER', 'UIDL']],
  ['PASS ', 'user', ['SASL SCRAM-SHA-256', 'USER', 'UIDL']],
] as const) {
  t.test(`SCRAM announced and refused: one try with ${method}`, async (t) => {
    const { status, stderr, commands } = await attack(t, {
      capabilities,
      fault: (line) => (line.startsWith(direct) ? '+OK\r\n' : undefined),
    });
    t.equal(status, 0, stderr);
    t.match(stderr, `login=${method}`);
    t.match(commands.join('\n'), /^CAPA\nAUTH SCRAM-SHA-256 /);
    t.equal(commands.filter((line) => line.startsWith(direct)).length, 1);
  });
}

t.test(
  'PIPELINING announced, and lines sent ahead dropped: once more, one command at a time',
  async (t) => {
    const args = ['--timeout', '1'];
    const { status, stderr, stored, left, server } = await attack(
      t,
      { dropsLinesAhead: true },
      args,
    );
    t.equal(status, 0, stderr);
    t.match(stderr, /session-ended .*fell silent/);
    t.equal(server.sessions, 2);
    t.equal(left, 0);
    t.same(stored, sortedContents(three));
  },
);

t.test(
  'UIDL refused for one message: the probe asks LIST, which proves more than NOOP',
  async (t) => {
    const { status, stored, commands } = await attack(t, {
      fault: (line) => (/^UIDL \d/.test(line) ? '-ERR no argument\r\n' : undefined),
    });
    t.equal(status, 0);
    t.same(stored, sortedContents(three));
    const retrieved = commands.lastIndexOf('RETR 3');
    t.match(commands[retrieved + 1], /^LIST 3$/);
    t.notOk(commands.includes('NOOP'));
  },
);

t.test('only what comes ahead behind a RETR dropped: once more as well', async (t) => {
  const args = ['--timeout', '1'];
  const { status, stderr, stored, server } = await attack(t, { dropsLinesAhead: 'RETR' }, args);
  t.equal(status, 0, stderr);
  t.equal(server.sessions, 2);
  t.same(stored, sortedContents(three));
});

t.test('a server that is silent with and without PIPELINING is asked twice, no more', async (t) => {
  const fault = (line: string) => (line === 'LIST' ? silence : undefined);
  const { status, stderr, server } = await attack(t, { fault }, ['--timeout', '1']);
  t.equal(status, 111);
  t.match(stderr, /fell silent/);
  t.equal(server.sessions, 2);
});

for (const [command, surplus] of [
  ['RETR 1', '+OK\r\n'],
  ['RETR 1', '-ERR\r\n'],
  ['UIDL', '+OK\r\n+OK\r\n+OK\r\n'],
  ['PASS secret', '+OK\r\n'],
  ['DELE 1', '+OK\r\n'],
] as const) {
  t.test(
    `${JSON.stringify(surplus)} unasked after ${command} is not taken for a reply`,
    async (t) => {
      const { status, stored, left, again } = await attack(t, {
        capabilities: ['USER', 'UIDL'],
        fault: (line, session, _socket, { answer }) =>
          line === command && session < 3
            ? Buffer.concat([Buffer.from(answer()), Buffer.from(surplus)])
            : undefined,
      });
      if (status === 0) t.equal(left, 0);
      for (const one of stored) t.ok(sortedContents(three).includes(one), 'stored as sent');
      t.ok(left + stored.length >= 3, 'nothing is lost');
      for (let runs = 1; runs < 3; runs += 1) await again();
      const last = await again();
      t.same([last.status, last.left], [0, 0]);
      t.same(last.stored, sortedContents(three));
    },
  );
}

t.test('a message without a unique-id among others that have one', async (t) => {
  const messages = [numberedMessage(1), numberedMessage(2, null), numberedMessage(3)];
  const { status, stored, left, again } = await attack(t, { messages }, ['--keep']);
  t.equal(status, 0);
  t.same(stored, sortedContents(messages));
  t.equal(left, 3);
  t.same((await again()).stored, sortedContents(messages), 'known again, by its content');
});

t.test('a listing in no order', async (t) => {
  const sizes = three.map(({ content }) => content.length);
  const { status, stored, left, commands } = await attack(t, {
    fault: (line) => {
      const lines = (values: readonly (number | string)[]): string =>
        `+OK\r\n${[3, 1, 2].map((n) => `${n} ${values[n - 1] ?? ''}\r\n`).join('')}.\r\n`;
      if (line === 'LIST') return lines(sizes);
      return line === 'UIDL' ? lines(['id-1', 'id-2', 'id-3']) : undefined;
    },
  });
  t.equal(status, 0);
  t.same(stored, sortedContents(three));
  t.equal(left, 0);
  t.match(commands.join('\n'), /RETR 1\nRETR 2\nRETR 3/);
});

for (const number of ['4294967297', '2147483648', '18446744073709551617', '1e0', '0x1', '+1']) {
  t.test(`${number} is no message number, least of all 1`, async (t) => {
    const { status, stderr, stored, left, commands } = await attack(t, {
      fault: (line) => {
        if (line === 'LIST') return `+OK\r\n1 60\r\n2 60\r\n3 60\r\n${number} 60\r\n.\r\n`;
        if (line !== 'UIDL') return undefined;
        return `+OK\r\n1 id-1\r\n2 id-2\r\n3 id-3\r\n${number} id-4\r\n.\r\n`;
      },
    });
    t.equal(status, 111);
    t.match(stderr, /listed 1 messages malformed/);
    t.same(stored, sortedContents(three));
    t.equal(left, 0);
    t.equal(commands.filter((line) => line.startsWith('RETR')).length, 3);
  });
}

t.test('-ERR to QUIT: named, and the next run deletes and fetches nothing', async (t) => {
  const { status, stderr, stored, left, server, again } = await attack(t, {
    fault: (line, session) =>
      line === 'QUIT' && session === 1 ? '-ERR some deleted messages not removed\r\n' : undefined,
  });
  t.equal(status, 1);
  t.equal(stderr.match(/message-left .*perhaps not deleted/g)?.length, 3);
  t.same([stored.length, left], [3, 3]);
  const second = await again();
  t.same([second.status, second.left], [0, 0]);
  t.same(second.stored, sortedContents(three));
  t.equal(server.commands.filter((line) => line.startsWith('RETR')).length, 3);
});

for (const hasUidl of [true, false]) {
  const title = hasUidl ? 'QUIT' : 'without UIDL, QUIT';
  t.test(`${title} carried out and not answered: the next run settles it`, async (t) => {
    const server: FakeServer = await startFakeServer(t, {
      messages: three,
      hasUidl,
      fault: (line, session, socket) => {
        if (line !== 'QUIT' || session > 1) return undefined;
        // What it deletes are the first messages; others come after them.
        server.messages = [numberedMessage(4), numberedMessage(5)];
        return hangUp(socket);
      },
    });
    const maildir = makeMaildir(t);
    const first = await runPop3get(t, server.port, maildir);
    t.equal(first.status, 111);
    t.match(first.stderr, /undecided=true/);
    const second = await runPop3get(t, server.port, maildir);
    t.equal(second.status, 0, second.stderr);
    t.match(second.stderr, /stored=2 .*deleted=2 .*undecided=false/);
    t.equal(server.messages.length, 0);
    t.same([...storedContents(maildir)].sort(), sortedContents(numberedMessages(5)));
    const [journal = ''] = readdirSync(maildir).filter((name) => name.endsWith('.journal'));
    t.notMatch(readFileSync(join(maildir, journal), 'latin1'), /^stored/m, 'nothing is owed');
  });
}

t.test('messages that look like no mail are stored as sent', async (t) => {
  const texts = [
    'From ann Thu Jan  1 00:00:00 1970\r\nSubject: x\r\n\r\nFrom here on\r\n>From there\r\n',
    'no header at all\r\n',
    '\r\nonly a body\r\n',
    'Received: from [127.0.0.1] ([127.0.0.1])\r\n\tby forger with POP3 id 1.M000001;\r\n\tnow\r\n\r\n',
    ' a line that continues none\r\n\tnor this\r\n',
    '',
  ];
  const messages = texts.map((text, index) => ({
    uniqueId: `id-${index + 1}`,
    content: Buffer.from(text),
  }));
  const { status, maildir, left } = await attack(t, {
    messages,
    fault: (line) => (line === `RETR ${texts.length}` ? '+OK\r\n.\r\n' : undefined),
  });
  t.equal(status, 0);
  t.equal(left, 0);
  const stored = readdirSync(join(maildir, 'new')).map((name) => {
    const [, header, rest] =
      /^(Received: [^\n]*\n\t[^\n]*\n\t[^\n]*\n)([^]*)$/.exec(
        readFileSync(join(maildir, 'new', name), 'latin1'),
      ) ?? [];
    t.ok(header, 'our own field comes first');
    return rest?.replace(/\n/g, '\r\n');
  });
  t.same(stored.sort(), [...texts].sort());
});
