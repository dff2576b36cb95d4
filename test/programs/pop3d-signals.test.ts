// pop3d and signals, timeouts and peers that go: it ends in order, says why in the log, and deletes nothing.

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { makeInbox, type MaildirFixture } from '../support/mail/maildir-fixture.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { startProgram, type RunningProgram } from '../support/programs/run-program.js';
import { makeSocketPair } from '../support/sessions/socket-pair.js';
import { WireClient } from '../support/sessions/wire-client.js';
import { testFolder } from '../support/suite/test-folder.js';

interface Started {
  readonly program: RunningProgram;
  readonly client: WireClient;
  readonly inbox: MaildirFixture;
}

/** A session in which one message of two is marked. */
async function startMarked(t: Test, args: readonly string[] = []): Promise<Started> {
  const started = start(t, args);
  await started.client.login('ann@example.org', 'open sesame');
  await started.client.ok('DELE 1');
  return started;
}

function start(t: Test, args: readonly string[] = []): Started {
  const cwd = testFolder(t, {});
  makePasswordDatabase(join(cwd, 'passdb.sqlite'), { 'ann@example.org': 'open sesame' });
  const inbox = makeInbox(cwd, 'ann@example.org');
  inbox.add('one\n');
  inbox.add('two\n');
  const program = startProgram(t, 'pop3d', args, { cwd });
  return { program, client: new WireClient(program.stdout, program.stdin), inbox };
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  t.test(`${signal} ends the session with -ERR [SYS/TEMP], and nothing is deleted`, async (t) => {
    const { program, client, inbox } = await startMarked(t);
    program.kill(signal);
    t.match(await client.status(), /^-ERR \[SYS\/TEMP\] /);
    t.equal((await client.rest()).length, 0);
    client.end();
    t.strictSame(await program.ending, { status: 0, signal: null });
    t.match(program.stderr, /logout .*reason=signal/);
    t.equal(inbox.contents().length, 2);
  });
}

t.test('SIGTERM before login ends the session', async (t) => {
  const { program, client } = start(t);
  await client.status();
  // Only a loaded session has handlers: this answer comes from one.
  await client.ok('CAPA');
  await client.multiline();
  program.kill('SIGTERM');
  t.match(await client.status(), /^-ERR \[SYS\/TEMP\] /);
  client.end();
  t.strictSame(await program.ending, { status: 0, signal: null });
});

t.test('SIGUSR2 ends a session that has not logged in, and no other', async (t) => {
  const stranger = start(t);
  await stranger.client.status();
  await stranger.client.ok('CAPA');
  await stranger.client.multiline();
  stranger.program.kill('SIGUSR2');
  t.match(await stranger.client.status(), /^-ERR \[SYS\/TEMP\] /);
  stranger.client.end();
  t.strictSame(await stranger.program.ending, { status: 0, signal: null });

  const user = await startMarked(t);
  user.program.kill('SIGUSR2');
  await user.client.ok('NOOP');
  await user.client.ok('QUIT');
  user.client.end();
  t.strictSame(await user.program.ending, { status: 0, signal: null });
  t.equal(user.inbox.contents().length, 1);
});

t.test('SIGTERM twice, and after the peer went, does no harm', async (t) => {
  const { program, client, inbox } = await startMarked(t);
  program.kill('SIGTERM');
  program.kill('SIGTERM');
  client.destroy();
  t.strictSame(await program.ending, { status: 0, signal: null });
  t.equal(inbox.contents().length, 2);
});

// SIGQUIT ends a program at once, and where the system keeps cores, with one: that is what it is for.
for (const signal of ['SIGKILL', 'SIGQUIT'] as const) {
  t.test(`${signal} deletes nothing`, async (t) => {
    const { program, inbox } = await startMarked(t);
    program.kill(signal);
    t.equal((await program.ending).signal, signal);
    t.equal(inbox.contents().length, 2);
  });
}

t.test('SIGPIPE and a reader that is gone do no harm', async (t) => {
  const { program, client, inbox } = await startMarked(t);
  program.kill('SIGPIPE');
  await client.ok('NOOP');
  program.stdout.destroy();
  client.write('LIST\r\nLIST\r\nUIDL\r\n');
  t.strictSame(await program.ending, { status: 0, signal: null });
  t.match(program.stderr, /logout .*reason=disconnect/);
  t.equal(inbox.contents().length, 2);
});

t.test('the idle timeout closes without a reply, and nothing is deleted', async (t) => {
  const { program, client, inbox } = await startMarked(t, ['--idle-timeout', '1']);
  t.equal((await client.rest()).length, 0);
  t.strictSame(await program.ending, { status: 0, signal: null });
  t.match(program.stderr, /logout .*reason=timeout/);
  t.equal(inbox.contents().length, 2);
});

t.test('the login timeout closes a session that only talks', async (t) => {
  const { program, client } = start(t, ['--login-timeout', '1']);
  await client.status();
  await client.ok('USER ann@example.org');
  const talk = setInterval(() => client.write('USER bob@example.org\r\n'), 100);
  t.teardown(() => clearInterval(talk));
  t.strictSame(await program.ending, { status: 0, signal: null });
  t.match(program.stderr, /logout .*reason=timeout/);
});

t.test('a reset of the connection is a disconnect', async (t) => {
  const cwd = testFolder(t, {});
  makePasswordDatabase(join(cwd, 'passdb.sqlite'), { 'ann@example.org': 'open sesame' });
  const inbox = makeInbox(cwd, 'ann@example.org');
  inbox.add('one\n');
  const pair = await makeSocketPair();
  const program = startProgram(t, 'pop3d', [], { cwd, fds: [pair.server, pair.server] });
  pair.server.destroy();
  const client = new WireClient(pair.client, pair.client);
  await client.login('ann@example.org', 'open sesame');
  await client.ok('DELE 1');
  pair.client.resetAndDestroy();
  t.strictSame(await program.ending, { status: 0, signal: null });
  t.match(program.stderr, /logout .*reason=disconnect/);
  t.equal(inbox.contents().length, 1);
});
