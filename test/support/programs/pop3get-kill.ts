// Transfers that are killed at a random instant and then run until they are done.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Test } from 'tap';
import {
  drop,
  makeMaildir,
  numberedMessages,
  runPop3get,
  sortedContents,
  startFakeServer,
  storedContents,
  type FakeServer,
} from './pop3get-fixture.js';
import { startProgram } from './run-program.js';

const messageCount = 300;
/** A transfer of 300 messages takes about this long on a slow machine. */
const longestMs = 700;

/** Kills pop3get after a while, then runs it until it says it is done, and compares. */
export async function killClientAndFinish(
  t: Test,
  random: (limit: number) => number,
): Promise<void> {
  const afterMs = random(longestMs);
  const messages = numberedMessages(messageCount);
  const server = await startFakeServer(t, { messages });
  const maildir = makeMaildir(t);
  const port = String(server.port);
  const victim = startProgram(
    t,
    'pop3get',
    ['--port', port, '--directory', maildir, '--quiet', '127.0.0.1', 'ann'],
    { env: { POP3GET_PASSWORD: 'secret' } },
  );
  const timer = setTimeout(() => victim.kill('SIGKILL'), afterMs);
  await victim.ending;
  clearTimeout(timer);
  // A copy as backups make it: every file has a second link then, half messages in tmp too.
  execFileSync('cp', ['-al', maildir, join(makeMaildir(t), 'copy')]);
  await finish(t, server, maildir, `killed after ${afterMs} ms`);
}

/** Breaks the connection, with a reset, after a random number of octets sent by the server; then as above. */
export async function killServerAndFinish(
  t: Test,
  random: (limit: number) => number,
): Promise<void> {
  const afterCommands = random(messageCount * 2.1);
  let commands = 0;
  const server = await startFakeServer(t, {
    messages: numberedMessages(messageCount),
    fault: () => {
      commands += 1;
      return commands === afterCommands ? drop : undefined;
    },
  });
  const maildir = makeMaildir(t);
  await runPop3get(t, server.port, maildir, ['--quiet']);
  await finish(t, server, maildir, `server lost at command ${afterCommands}`);
}

async function finish(t: Test, server: FakeServer, maildir: string, when: string): Promise<void> {
  const stderr: string[] = [];
  for (let runs = 0; runs < 5; runs += 1) {
    const result = await runPop3get(t, server.port, maildir);
    stderr.push(result.stderr);
    if (result.status === 0) break;
  }
  const expected = sortedContents(numberedMessages(messageCount));
  const stored = [...storedContents(maildir)].sort();
  t.equal(server.messages.length, 0, `${when}: the mailbox is empty\n${stderr.join('')}`);
  t.equal(stored.join('\0'), expected.join('\0'), `${when}: every message is there once`);
}
