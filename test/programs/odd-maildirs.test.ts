// Maildirs with what does not belong there, and Maildirs that change under a session: what pop3d says stays true, and
// nothing is touched that the client did not delete. One odd entry at a time: session/odd-maildirs; messages that change:
// changing-messages.

import { chmodSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { oddEntries, putEntry } from '../support/mail/odd-entries.js';
import { retrieveAll } from '../support/mail/retrieve-all.js';
import { makeOwnedMailRoot, type OwnedMailRoot } from '../support/mail/owned-mail-root.js';
import { runProgram, startProgram, type RunningProgram } from '../support/programs/run-program.js';
import { WireClient } from '../support/sessions/wire-client.js';

const good = ['Subject: one\n\none\n', 'Subject: two\n\n.two\n'];
const goodSent = ['Subject: one\r\n\r\none\r\n', 'Subject: two\r\n\r\n.two\r\n'];

function start(t: Test, { cwd }: OwnedMailRoot): { program: RunningProgram; client: WireClient } {
  const program = startProgram(t, 'pop3d', [], { cwd });
  return { program, client: new WireClient(program.stdout, program.stdin) };
}

/** Waits for the end of a session that has ended for the client. */
async function ended(client: WireClient, program: RunningProgram): Promise<number | null> {
  // While our side is open it lingers, lest a reset overtake its reply.
  client.end();
  return (await program.ending).status;
}

t.test('every odd entry at once costs no login and no good message', async (t) => {
  const root = makeOwnedMailRoot(t);
  for (const message of good) root.inbox.add(message);
  const there = oddEntries.filter(({ skip = false }) => skip === false);
  for (const [index, kind] of there.entries()) {
    // One name each, where the name is not what is odd.
    const name = kind.name === '1700000001.M5P1.odd' ? `17000001${index}.M5P1.odd` : kind.name;
    putEntry(root.inbox, 'cur', { ...kind, name });
  }
  const { client } = start(t, root);
  await client.login('ann@example.org', 'open sesame');
  const messageCount = good.length + there.filter(({ sent }) => sent !== null).length;
  t.equal((await client.listing('UIDL')).length, messageCount);
  t.equal(
    new Set((await client.listing('UIDL')).map((line) => line.split(' ')[1])).size,
    messageCount,
  );
  t.equal((await retrieveAll(t, client)).length, messageCount);
  await client.ok('QUIT');
});

t.test('a Maildir removed during a session is [SYS/TEMP] at QUIT, not a success', async (t) => {
  const root = makeOwnedMailRoot(t);
  for (const message of good) root.inbox.add(message);
  const { client, program } = start(t, root);
  await client.login('ann@example.org', 'open sesame');
  await client.ok('DELE 1');
  rmSync(root.inbox.path, { recursive: true });
  t.match(await client.command('STAT'), /^-ERR \[SYS\/TEMP\]/);
  t.match(await client.command('QUIT'), /^-ERR \[SYS\/TEMP\]/);
  t.equal(await ended(client, program), 0);
});

t.test('an INBOX that is a file is [SYS/TEMP], never an empty maildrop', async (t) => {
  const root = makeOwnedMailRoot(t);
  rmSync(root.inbox.path, { recursive: true });
  writeFileSync(root.inbox.path, 'no Maildir\n');
  const { client } = start(t, root);
  await client.status();
  await client.ok('USER ann@example.org');
  t.match(await client.command('PASS open sesame'), /^-ERR \[SYS\/TEMP\]/);
});

t.test('a Maildir without tmp, or with old files in it, is served', async (t) => {
  const root = makeOwnedMailRoot(t);
  for (const message of good) root.inbox.add(message);
  root.inbox.add('half of a message', { folder: 'tmp', name: '1600000000.old' });
  const first = start(t, root);
  await first.client.login('ann@example.org', 'open sesame');
  t.strictSame(await retrieveAll(t, first.client), goodSent);
  await first.client.ok('QUIT');
  await ended(first.client, first.program);
  t.strictSame(root.inbox.names('tmp'), ['1600000000.old'], 'somebody may be writing it');
  rmSync(join(root.inbox.path, 'tmp'), { recursive: true });
  const second = start(t, root);
  await second.client.login('ann@example.org', 'open sesame');
  t.strictSame(await retrieveAll(t, second.client), goodSent);
  await second.client.ok('QUIT');
  t.notOk(readdirSync(root.inbox.path).includes('tmp'), 'and none is made');
});

t.test('two sessions that delete the same message both succeed, and one did it', async (t) => {
  const root = makeOwnedMailRoot(t);
  for (const message of good) root.inbox.add(message);
  const [one, other] = [start(t, root), start(t, root)];
  for (const { client } of [one, other]) {
    await client.login('ann@example.org', 'open sesame');
    await client.ok('DELE 1');
  }
  for (const { client } of [one, other]) await client.ok('QUIT');
  for (const { client, program } of [one, other]) await ended(client, program);
  t.match(one.program.stderr, /logout .*reason=quit .*dele=1 /);
  t.match(other.program.stderr, /logout .*reason=quit .*dele=0 /);
  t.strictSame(root.inbox.contents().map(String), [good[1]]);
});

t.test('a flag that cannot be set is logged, and QUIT is a success all the same', async (t) => {
  const root = makeOwnedMailRoot(t);
  root.inbox.add('x\n\n');
  root.giveAway();
  chmodSync(join(root.inbox.path, 'cur'), 0o555);
  const { stdout, stderr } = await runProgram(t, 'pop3d', ['--mark-seen'], {
    cwd: root.cwd,
    input: 'USER ann@example.org\r\nPASS open sesame\r\nRETR 1\r\nQUIT\r\n',
  });
  t.match(stdout.toString('latin1'), /\r\n\.\r\n\+OK [^\n]*\r\n$/);
  t.match(stderr, /mark-seen-failed .*EACCES/);
  t.equal(root.inbox.names('new').length, 1);
});
