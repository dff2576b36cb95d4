// Sessions as people type them into telnet(1), from two tutorials: lower case, TOP without a count, DELE twice.

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { asSent, topAsSent } from '../support/mail/as-sent.js';
import { deadline } from '../support/suite/deadline.js';
import { expectProgram, unlessInstalled } from '../support/peers/debian.js';
import { makeInbox, type MaildirFixture } from '../support/mail/maildir-fixture.js';
import { startMailServer } from '../support/programs/mail-server.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { startCommand } from '../support/programs/run-program.js';
import { testFolder } from '../support/suite/test-folder.js';

const stored = Array.from({ length: 7 }, (_, index) => {
  const body = Array.from({ length: 4 + index }, (_line, line) => `line ${line + 1}\n`).join('');
  return Buffer.from(`Return-Path: <bounce@example.net>\nSubject: Message ${index + 1}\n\n${body}`);
});
const octets = stored.map((message) => asSent(message).length);
const total = octets.reduce((sum, count) => sum + count, 0);

/** Types lines into telnet(1), each after the reply to the one before it, until the server closes. */
async function type(
  t: Test,
  typed: readonly (readonly [line: string, end: RegExp])[],
): Promise<{ replies: string[]; inbox: MaildirFixture }> {
  const mailRoot = testFolder(t, {});
  makePasswordDatabase(join(mailRoot, 'passdb.sqlite'), { 'me@example.org': 'a secret' });
  const inbox = makeInbox(mailRoot, 'me@example.org');
  for (const message of stored) inbox.add(message);
  const { port } = await startMailServer(t, mailRoot, { env: { DEFAULT_DOMAIN: 'example.org' } });

  const telnet = startCommand(t, expectProgram('telnet'), ['127.0.0.1', String(port)]);
  let screen = '';
  let onScreen: () => void = () => undefined;
  telnet.stdout.setEncoding('latin1').on('data', (text: string) => {
    screen += text;
    onScreen();
  });
  const reply = async (end: RegExp): Promise<string> => {
    const shown = new Promise<string>((resolve) => {
      onScreen = () => {
        const match = end.exec(screen);
        if (match === null) return;
        const upTo = match.index + match[0].length;
        resolve(screen.slice(0, upTo));
        screen = screen.slice(upTo);
      };
      onScreen();
    });
    return deadline(shown, 20_000, () => `waiting for ${String(end)} in ${JSON.stringify(screen)}`);
  };

  await reply(/^\+OK .*\r?\n/m);
  const replies: string[] = [];
  for (const [line, end] of typed) {
    telnet.stdin.write(`${line}\n`);
    replies.push((await reply(end)).replaceAll('\r\n', '\n'));
  }
  await telnet.ending;
  return { replies, inbox };
}

const statusLine = /^(?:\+OK|-ERR).*\n/m;
const multiline = /^(?:-ERR.*|\+OK[^]*\n\.)\r?\n/m;

t.test(
  'the session of the lower-case tutorial can be typed as it stands',
  { skip: unlessInstalled('telnet') },
  async (t) => {
    const { replies, inbox } = await type(t, [
      ['user me', statusLine],
      ['pass a secret', statusLine],
      ['list', multiline],
      ['list 7', statusLine],
      ['retr 7', multiline],
      ['top 3 5', multiline],
      ['stat ', statusLine],
      ['dele 7', statusLine],
      ['stat', statusLine],
      ['rset', statusLine],
      ['stat', statusLine],
      ['quit', statusLine],
    ]);
    const [
      user,
      pass,
      list,
      list7,
      retr,
      top,
      stat,
      dele,
      statAfterDele,
      rset,
      statAfterRset,
      quit,
    ] = replies;
    for (const reply of [user, pass, dele, rset, quit]) t.match(reply, /^\+OK/);
    t.equal(
      withoutStatus(list),
      `${octets.map((count, index) => `${index + 1} ${count}\n`).join('')}.\n`,
    );
    t.match(list7, `+OK 7 ${String(octets[6])}`);
    t.match(retr?.split('\n')[0], String(octets[6]), 'RETR announces the octets');
    t.equal(withoutStatus(retr), `${String(stored[6])}.\n`);
    t.equal(
      withoutStatus(top),
      `${topAsSent(stored[2] ?? Buffer.alloc(0), 5)
        .toString()
        .replaceAll('\r\n', '\n')}.\n`,
    );
    t.match(stat, `+OK 7 ${total}`);
    t.match(statAfterDele, `+OK 6 ${total - (octets[6] ?? 0)}`);
    t.match(statAfterRset, `+OK 7 ${total}`);
    t.strictSame(inbox.contents(), stored, 'RSET took the deletion back');
  },
);

t.test(
  'the session of the upper-case tutorial can be typed as it stands',
  { skip: unlessInstalled('telnet') },
  async (t) => {
    const { replies, inbox } = await type(t, [
      ['USER me', statusLine],
      ['PASS a secret', statusLine],
      ['LIST', multiline],
      ['STAT', statusLine],
      ['TOP 1', multiline],
      ['DELE 1', statusLine],
      ['DELE 1', statusLine],
      ['DELE 9999', statusLine],
      ['RSET', statusLine],
      ['NOOP', statusLine],
      ['DELE 1', statusLine],
      ['QUIT', statusLine],
    ]);
    const [user, pass, list, stat, top, dele, deleAgain, dele9999, rset, noop, deleAfter, quit] =
      replies;
    for (const reply of [user, pass, list, dele, rset, noop, deleAfter, quit]) {
      t.match(reply, /^\+OK/);
    }
    t.match(stat, `+OK 7 ${total}`);
    t.equal(withoutStatus(top), 'Return-Path: <bounce@example.net>\nSubject: Message 1\n\n.\n');
    t.match(deleAgain, /^-ERR .*1/);
    t.match(dele9999, /^-ERR .*9999/);
    t.strictSame(inbox.contents(), stored.slice(1), 'QUIT removed what was marked');
  },
);

function withoutStatus(reply: string | undefined): string | undefined {
  return reply?.slice(reply.indexOf('\n') + 1);
}
