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
  t.match(wrong.stderr, /option --keep takes \[DAYS\], not "soon"/);
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
  t.match(early.stderr, /wants no login for another \d+ seconds \(LOGIN-DELAY\)/);
  t.equal(server.sessions, 1);
});
