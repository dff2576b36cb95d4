// pop3d and what it may not do: told as it is, and never an empty or short listing instead.

import { chmodSync, chownSync, existsSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { unlessRoot } from '../support/peers/debian.js';
import { makeOwnedMailRoot, type OwnedMailRoot } from '../support/mail/owned-mail-root.js';
import { startProgram, type RunningProgram } from '../support/programs/run-program.js';
import { WireClient } from '../support/sessions/wire-client.js';

const letter = 'a: b\n\nx\n'; // 11 octets as sent

function start(t: Test, { cwd }: OwnedMailRoot): { program: RunningProgram; client: WireClient } {
  const program = startProgram(t, 'pop3d', [], { cwd });
  return { program, client: new WireClient(program.stdout, program.stdin) };
}

/** Logs in up to the reply to PASS. */
async function replyToPass(client: WireClient): Promise<string> {
  await client.status();
  await client.ok('USER ann@example.org');
  return client.command('PASS open sesame');
}

for (const folder of ['new', 'cur']) {
  t.test(`an unreadable "${folder}" is [SYS/TEMP], never an empty maildrop`, async (t) => {
    const root = makeOwnedMailRoot(t);
    root.inbox.add(letter);
    root.giveAway();
    chmodSync(join(root.inbox.path, folder), 0);
    const { program, client } = start(t, root);
    t.match(await replyToPass(client), /^-ERR \[SYS\/TEMP\] /);
    t.match(await client.command('STAT'), /^-ERR/);
    t.ok(await program.logLine(/failure .*user=ann@example\.org .*EACCES/));
    await client.ok('QUIT');
  });
}

t.test(
  'an INBOX that may not be entered is [SYS/TEMP], before the login and at QUIT',
  async (t) => {
    const root = makeOwnedMailRoot(t);
    root.inbox.add(letter);
    root.giveAway();
    const marked = start(t, root);
    t.match(await replyToPass(marked.client), /^\+OK/);
    await marked.client.ok('DELE 1');
    chmodSync(root.inbox.path, 0);
    const refused = start(t, root);
    const reply = await replyToPass(refused.client);
    const quit = await marked.client.command('QUIT');
    chmodSync(root.inbox.path, 0o755);
    t.match(reply, /^-ERR \[SYS\/TEMP\] /);
    t.match(quit, /^-ERR \[SYS\/PERM\] /);
    t.equal(root.inbox.contents().length, 1);
  },
);

t.test(
  'a message given to another user is listed, and refused alone',
  { skip: unlessRoot() },
  async (t) => {
    const root = makeOwnedMailRoot(t);
    const name = root.inbox.add('secret\n');
    root.inbox.add(letter);
    root.giveAway();
    const { client } = start(t, root);
    t.match(await replyToPass(client), /^\+OK/);
    t.strictSame(await client.listing('LIST'), ['1 10', '2 11']);
    const path = join(root.inbox.path, 'new', name);
    chmodSync(path, 0o600);
    chownSync(path, 0, 0);
    t.match(await client.command('RETR 1'), /^-ERR \[SYS\/PERM\] /);
    t.match(await client.command('TOP 1 0'), /^-ERR \[SYS\/PERM\] /);
    t.equal((await client.message('RETR 2')).toString(), 'a: b\r\n\r\nx\r\n');
    await client.ok('QUIT');
  },
);

t.test('a user directory that may not be entered is [SYS/TEMP]', async (t) => {
  const root = makeOwnedMailRoot(t);
  root.inbox.add(letter);
  root.giveAway();
  const home = join(root.cwd, 'example.org', 'ann');
  chmodSync(home, 0);
  const { client } = start(t, root);
  const reply = await replyToPass(client);
  chmodSync(home, 0o755);
  t.match(reply, /^-ERR \[SYS\/TEMP\] /);
});

t.test('an INBOX that is a symbolic link is [SYS/PERM], wherever it leads', async (t) => {
  const root = makeOwnedMailRoot(t);
  root.inbox.add(letter);
  renameSync(root.inbox.path, `${root.inbox.path}-elsewhere`);
  symlinkSync('INBOX-elsewhere', root.inbox.path);
  root.giveAway();
  const { client } = start(t, root);
  t.match(await replyToPass(client), /^-ERR \[SYS\/PERM\] /);
});

t.test('a message that may not be read is listed, and refused alone', async (t) => {
  const root = makeOwnedMailRoot(t);
  const name = root.inbox.add('secret\n');
  root.inbox.add(letter);
  root.giveAway();
  chmodSync(join(root.inbox.path, 'new', name), 0);
  const { program, client } = start(t, root);
  t.match(await replyToPass(client), /^\+OK/);
  t.strictSame(await client.listing('LIST'), ['1 7', '2 11']);
  t.match(await client.command('RETR 1'), /^-ERR \[SYS\/PERM\] /);
  t.match(await client.command('TOP 1 0'), /^-ERR \[SYS\/PERM\] /);
  t.equal((await client.message('RETR 2')).toString(), 'a: b\r\n\r\nx\r\n');
  await client.ok('QUIT');
  t.ok(await program.logLine(new RegExp(`unreadable .*file=${name} .*EACCES`)));
});

t.test('QUIT says -ERR [SYS/PERM] when messages may not be removed, and they stay', async (t) => {
  const root = makeOwnedMailRoot(t);
  root.inbox.add('stays\n');
  root.inbox.add('goes\n', { folder: 'cur', name: '1800000000.x:2,S' });
  root.giveAway();
  const { program, client } = start(t, root);
  t.match(await replyToPass(client), /^\+OK/);
  await client.ok('DELE 1');
  await client.ok('DELE 2');
  chmodSync(join(root.inbox.path, 'new'), 0o555);
  t.match(await client.command('QUIT'), /^-ERR \[SYS\/PERM\] /);
  t.equal((await client.rest()).length, 0, 'one reply');
  t.equal((await program.ending).status, 0);
  t.strictSame(root.inbox.contents().map(String), ['stays\n']);
  t.match(program.stderr, /logout .*reason=quit .*dele=1/);
});

t.test('a Maildir that may not be written is read like any other', async (t) => {
  const root = makeOwnedMailRoot(t);
  root.inbox.add(letter);
  root.giveAway();
  for (const folder of ['new', 'cur', 'tmp', '.']) {
    chmodSync(join(root.inbox.path, folder), 0o555);
  }
  const { program, client } = start(t, root);
  t.match(await replyToPass(client), /^\+OK/);
  t.strictSame(await client.listing('LIST'), ['1 11']);
  t.equal((await client.message('RETR 1')).length, 11);
  await client.ok('QUIT');
  t.equal((await program.ending).status, 0);
  t.notOk(existsSync(join(root.inbox.path, 'pop3d.octets')));
  t.match(program.stderr, /octets-not-remembered/);
  chmodSync(root.inbox.path, 0o755);
});

t.test(
  'without a password database the login is refused as unavailable, and none is made',
  async (t) => {
    const root = makeOwnedMailRoot(t);
    const { cwd } = root;
    const program = startProgram(t, 'pop3d', ['--passdb', 'nothing.sqlite'], { cwd });
    const client = new WireClient(program.stdout, program.stdin);
    t.match(await replyToPass(client), /^-ERR \[SYS\/(?:TEMP|PERM)\] /);
    t.notOk(existsSync(join(cwd, 'nothing.sqlite')));
    writeFileSync(
      join(cwd, 'noise.sqlite'),
      'this is no database, but long enough to be looked at',
    );
    const other = startProgram(t, 'pop3d', ['--passdb', 'noise.sqlite'], { cwd });
    t.match(
      await replyToPass(new WireClient(other.stdout, other.stdin)),
      /^-ERR \[SYS\/(?:TEMP|PERM)\] /,
    );
  },
);
