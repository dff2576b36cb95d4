// How long pop3get leaves mail on the server, and what the server says of that itself.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  makeMaildir,
  numberedMessage,
  numberedMessages,
  runPop3get,
  startFakeServer,
  storedContents,
} from '../support/programs/pop3get-fixture.js';

/** As if all that is stored had been stored so many days ago. */
function age(maildir: string, days: number): void {
  const name = readdirSync(maildir).find((one) => one.endsWith('.journal')) ?? '';
  const path = join(maildir, name);
  const older = readFileSync(path, 'latin1').replace(
    /^(stored .* )(\d+)(\.M\d{6})$/gm,
    (_line, start: string, seconds: string, end: string) =>
      `${start}${Number(seconds) - days * 86_400}${end}`,
  );
  writeFileSync(path, older, 'latin1');
}

t.test(
  '--keep 30d removes what was stored longer ago, after a look at its top, and keeps the rest',
  async (t) => {
    const server = await startFakeServer(t, { messages: numberedMessages(3) });
    const maildir = makeMaildir(t);
    t.equal((await runPop3get(t, server.port, maildir, ['--keep', '30d'])).status, 0);
    t.equal(server.messages.length, 3);
    age(maildir, 29);
    t.equal((await runPop3get(t, server.port, maildir, ['--keep', '30d'])).status, 0);
    t.equal(server.messages.length, 3);
    age(maildir, 2);
    server.messages.push(numberedMessage(4));
    server.commands.length = 0;
    const result = await runPop3get(t, server.port, maildir, ['--keep', '30d', '--json']);
    t.equal(result.status, 0, result.stderr);
    t.same(
      server.messages.map(({ uniqueId }) => uniqueId),
      ['id-4'],
    );
    t.same(
      server.commands.filter((line) => /^(TOP|RETR)/.test(line)),
      ['TOP 1 20', 'TOP 2 20', 'TOP 3 20', 'RETR 4'],
    );
    t.match(JSON.parse(result.stdout.toString()), { stored: 1, deleted: 3, kept: 1, left: 1 });
    t.equal(storedContents(maildir).length, 4);
  },
);

t.test('--keep alone keeps for good, and other values are usage errors', async (t) => {
  const server = await startFakeServer(t, { messages: numberedMessages(1) });
  const maildir = makeMaildir(t);
  for (const keep of [['--keep'], ['--keep'], ['/KEEP+']]) {
    t.equal((await runPop3get(t, server.port, maildir, keep)).status, 0);
    age(maildir, 4000);
  }
  t.equal(server.messages.length, 1);
  const wrong = await runPop3get(t, server.port, maildir, ['--keep=soon']);
  t.equal(wrong.status, 100);
  // It would be taken for the domain, and the last argument for a password.
  const days = await runPop3get(t, server.port, maildir, ['--keep', '30']);
  t.equal(days.status, 100);
  t.match(days.stderr, /--keep takes days as in 30d, and "30" is no domain/);
  t.match(wrong.stderr, /--keep takes a value such as 30d, not "soon"/);
});

t.test('how long the server keeps mail by itself is told', async (t) => {
  for (const [expire, told] of [
    ['EXPIRE 7', / expire=7$/m],
    ['EXPIRE NEVER', / expire=never$/m],
    ['EXPIRE 30 USER', / expire=30$/m],
  ] as const) {
    const capabilities = ['USER', 'UIDL', 'TOP', expire];
    const server = await startFakeServer(t, { messages: numberedMessages(1), capabilities });
    const { stderr } = await runPop3get(t, server.port, makeMaildir(t), ['--keep']);
    t.match(stderr, told);
  }
});

t.test('--recent asks Gmail for the last 30 days; the account is the same', async (t) => {
  const server = await startFakeServer(t, { messages: numberedMessages(1) });
  const maildir = makeMaildir(t);
  await runPop3get(t, server.port, maildir, ['--keep']);
  const recent = await runPop3get(t, server.port, maildir, ['--keep', '--recent']);
  t.match(recent.stderr, /account=ann@127.0.0.1 .*stored=0 .*known=1/);
  t.ok(server.commands.includes('USER recent:ann'));
});

t.test('a server that wants time between logins is not asked before', async (t) => {
  const capabilities = ['USER', 'UIDL', 'LOGIN-DELAY 600'];
  const server = await startFakeServer(t, { messages: numberedMessages(1), capabilities });
  const maildir = makeMaildir(t);
  t.equal((await runPop3get(t, server.port, maildir)).status, 0);
  const early = await runPop3get(t, server.port, maildir);
  t.equal(early.status, 111);
  t.match(early.stderr, /too-early error=.*wants no login for another \d+ seconds \(LOGIN-DELAY\)/);
  const cron = await runPop3get(t, server.port, maildir, ['--quiet']);
  t.equal(cron.status, 111);
  t.equal(cron.stderr, '', 'nobody need be told, every ten minutes, that nothing is wrong');
  t.equal(server.sessions, 1);
});

t.test('a timer of the very interval that the server wants is not sent away', async (t) => {
  const capabilities = ['USER', 'UIDL', 'LOGIN-DELAY 2'];
  const server = await startFakeServer(t, { messages: numberedMessages(1), capabilities });
  const maildir = makeMaildir(t);
  for (let runs = 0; runs < 2; runs += 1) {
    const { status, stderr } = await runPop3get(t, server.port, maildir, ['--keep']);
    t.equal(status, 0, stderr);
  }
  t.equal(server.sessions, 2);
});

t.test('what the server announces after the login is the delay of this user', async (t) => {
  const delays = ['LOGIN-DELAY 600 USER', 'LOGIN-DELAY 1'];
  const server = await startFakeServer(t, {
    messages: numberedMessages(1),
    fault: (line, _session, _socket) =>
      line === 'CAPA' ? `+OK\r\nUSER\r\nUIDL\r\n${delays.shift() ?? ''}\r\n.\r\n` : undefined,
  });
  const maildir = makeMaildir(t);
  for (let runs = 0; runs < 2; runs += 1) {
    const { status, stderr } = await runPop3get(t, server.port, maildir, ['--keep']);
    t.equal(status, 0, stderr);
  }
});

t.test('a login that is refused as too early is not tried again before its time', async (t) => {
  const refusing = (line: string): string | undefined =>
    line.startsWith('PASS') ? '-ERR [LOGIN-DELAY] not so soon\r\n' : undefined;
  const server = await startFakeServer(t, {
    ...{ messages: numberedMessages(1), capabilities: ['USER', 'UIDL', 'LOGIN-DELAY 600'] },
    fault: refusing,
  });
  const maildir = makeMaildir(t);
  for (const words of [/\[LOGIN-DELAY\] not so soon/, /wants no login for another \d+ seconds/]) {
    const { status, stderr } = await runPop3get(t, server.port, maildir);
    t.equal(status, 111, stderr);
    t.match(stderr, words);
  }
  t.equal(server.sessions, 1);
});

t.test(
  'a server that refuses logins as too early, and never says what is early, is told of',
  async (t) => {
    const server = await startFakeServer(t, {
      ...{ messages: numberedMessages(1), capabilities: ['USER', 'UIDL'] },
      fault: (line) => (line.startsWith('PASS') ? '-ERR [LOGIN-DELAY] no\r\n' : undefined),
    });
    const { status, stderr } = await runPop3get(t, server.port, makeMaildir(t), ['--quiet']);
    t.equal(status, 111);
    t.match(stderr, /^pop3get: failed error=.*\[LOGIN-DELAY\] no/);
  },
);
