// pop3d where the system gives out or the accounts change under it: what it says stays true.

import {
  appendFileSync,
  chmodSync,
  existsSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { SqliteFile } from '../support/accounts/sqlite-file.js';
import t from 'tap';
import { expectProgram, unlessInstalled } from '../support/peers/debian.js';
import { makeInbox, type MaildirFixture } from '../support/mail/maildir-fixture.js';
import { fewestDescriptors } from '../support/programs/fewest-descriptors.js';
import { makeOwnedMailRoot } from '../support/mail/owned-mail-root.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { unlessTraceable } from '../support/suite/path-trace.js';
import {
  builtProgram,
  runCommand,
  runProgram,
  startCommand,
  startProgram,
  type Teardown,
} from '../support/programs/run-program.js';
import { connectWireClient, WireClient } from '../support/sessions/wire-client.js';
import { mountSmallFileSystem, unlessMountable } from '../support/mail/small-file-system.js';

const script =
  'USER ann@example.org\r\nPASS open sesame\r\nSTAT\r\nUIDL\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n';

/** What a session with `script` said, command by command. */
function statusLines(stdout: Buffer): string[] {
  const lines = stdout.toString('latin1').split('\r\n');
  return lines.filter((line) => /^(?:\+OK|-ERR)/.test(line));
}

const fewest = fewestDescriptors();

for (const spare of [0, 1, 2, 3, 4, 5, 6, 8, 10, 14]) {
  const limit = fewest + spare;
  t.test(
    `with ${limit} descriptors it serves all of a maildrop or says that it cannot`,
    { skip: unlessInstalled('prlimit') },
    async (t) => {
      const root = makeOwnedMailRoot(t);
      for (let count = 0; count < 5; count += 1) root.inbox.add('a: b\n\nx\n');
      const { stdout, status } = await runCommand(
        t,
        'prlimit',
        [`--nofile=${limit}`, process.execPath, builtProgram('pop3d')],
        { cwd: root.cwd, input: script },
      );
      const [, , pass = '', stat = '', , , , quit = ''] = statusLines(stdout);
      if (pass.startsWith('+OK')) {
        t.match(stat, /^(?:\+OK 5 55|-ERR \[SYS\/TEMP\] .*)$/);
        t.equal(root.inbox.contents().length, quit.startsWith('+OK') ? 4 : 5);
      } else {
        t.match(pass, /^(?:-ERR \[SYS\/(?:TEMP|PERM)\] .*)?$/, 'never [AUTH]');
        t.equal(root.inbox.contents().length, 5);
      }
      t.not(status, null, 'no signal ended it');
    },
  );
}

/** A small file system of its own, with a mail root. */
function mountMailRoot(
  t: Teardown,
  options: string,
): { readonly cwd: string; readonly inbox: MaildirFixture } {
  const cwd = mountSmallFileSystem(t, options);
  makePasswordDatabase(join(cwd, 'passdb.sqlite'), { 'ann@example.org': 'open sesame' });
  return { cwd, inbox: makeInbox(cwd, 'ann@example.org') };
}

t.test('on a full disk mail is read and removed', { skip: unlessMountable() }, async (t) => {
  const { cwd, inbox } = mountMailRoot(t, 'size=256k');
  for (let count = 0; count < 12; count += 1) inbox.add(`Subject: ${count}\n\n${count}\n`);
  t.throws(() => {
    writeFileSync(join(cwd, 'ballast'), Buffer.alloc(1024 * 1024));
  }, /ENOSPC/);
  // What is removed makes room: not in the first session.
  for (const [input, left] of [
    [script.replace('DELE 1', 'NOOP'), 12],
    [script, 11],
  ] as const) {
    const { stdout, stderr, status } = await runProgram(t, 'pop3d', ['--log-messages'], {
      cwd,
      input,
    });
    t.equal(status, 0);
    t.ok(
      statusLines(stdout).every((line) => line.startsWith('+OK')),
      stdout.toString('latin1'),
    );
    t.equal(inbox.contents().length, left);
    if (left === 12) t.match(stderr, /octets-not-remembered .*ENOSPC/);
    t.same(inbox.names('tmp'), [], 'no half file stays');
  }
});

t.test(
  'a disk that fills up within pop3d.octets costs the file, not the truth',
  { skip: unlessMountable() },
  async (t) => {
    const { cwd, inbox } = mountMailRoot(t, 'size=2m');
    // Their names take more than a page.
    for (let count = 0; count < 300; count += 1) inbox.add('a: b\n\nx\n');
    const ballast = join(cwd, 'ballast');
    t.throws(() => {
      for (;;) appendFileSync(ballast, Buffer.alloc(4096));
    }, /ENOSPC/);
    truncateSync(ballast, statSync(ballast).size - 4096);
    const { stdout, stderr } = await runProgram(t, 'pop3d', [], {
      cwd,
      input: script.replace('DELE 1', 'NOOP'),
    });
    t.match(stdout.toString(), /\r\n\+OK 300 3300\r\n/);
    t.match(stderr, /octets-not-remembered .*ENOSPC/);
    t.notOk(existsSync(join(inbox.path, 'pop3d.octets')), 'no half file takes its place');
    t.same(inbox.names('tmp'), []);
  },
);

t.test('without an inode left mail is read and removed', { skip: unlessMountable() }, async (t) => {
  const { cwd, inbox } = mountMailRoot(t, 'size=2m,nr_inodes=64');
  for (let count = 0; count < 12; count += 1) inbox.add(`Subject: ${count}\n\n${count}\n`);
  t.throws(() => {
    for (let count = 0; ; count += 1) writeFileSync(join(cwd, `ballast-${count}`), '');
  }, /ENOSPC/);
  const { stdout, stderr, status } = await runProgram(t, 'pop3d', [], { cwd, input: script });
  t.equal(status, 0);
  t.ok(
    statusLines(stdout).every((line) => line.startsWith('+OK')),
    stdout.toString('latin1'),
  );
  t.equal(inbox.contents().length, 11);
  // What the session removes makes room for one inode; the others want what is not there.
  t.notMatch(stderr, /error=/);
  for (const folder of ['new', 'cur'] as const) t.notMatch(inbox.names(folder).join(), 'pop3d');
  t.same(inbox.names('tmp'), []);
});

t.test('the password counts that is there at PASS', async (t) => {
  const root = makeOwnedMailRoot(t);
  root.inbox.add('a: b\n\nx\n');
  const program = startProgram(t, 'pop3d', [], { cwd: root.cwd });
  const client = new WireClient(program.stdout, program.stdin);
  const database = new SqliteFile(join(root.cwd, 'passdb.sqlite'));
  t.teardown(() => database.close());
  await client.status();
  await client.ok('USER ann@example.org');
  database.exec("UPDATE users SET password = '{PLAIN}changed'");
  t.match(await client.command('PASS open sesame'), /^-ERR \[AUTH\]/);
  await client.ok('USER ann@example.org');
  await client.ok('PASS changed');
  database.exec('DELETE FROM users');
  await client.ok('DELE 1');
  await client.ok('QUIT');
  t.same(root.inbox.contents(), [], 'who is logged in stays so');
});

t.test('a Maildir taken away before QUIT leaves a true reply', async (t) => {
  const root = makeOwnedMailRoot(t);
  root.inbox.add('a: b\n\nx\n', { folder: 'cur', name: '1.x:2,S' });
  root.giveAway();
  const program = startProgram(t, 'pop3d', [], { cwd: root.cwd });
  const client = new WireClient(program.stdout, program.stdin);
  await client.login('ann@example.org', 'open sesame');
  await client.ok('DELE 1');
  chmodSync(join(root.inbox.path, 'cur'), 0);
  t.match(await client.command('QUIT'), /^-ERR \[SYS\/PERM\]/);
  chmodSync(join(root.inbox.path, 'cur'), 0o755);
  t.equal(root.inbox.contents().length, 1);
});

t.test('no name is looked up for a connection', { skip: unlessTraceable() }, async (t) => {
  const root = makeOwnedMailRoot(t);
  root.inbox.add('a: b\n\nx\n');
  const runFile = join(root.cwd, 'x.run');
  const lines = ['node', builtProgram('pop3d')].map((value) => `argument "${value}"\n`).join('');
  writeFileSync(runFile, `chdir "${root.cwd}"\nprogram ${process.execPath}\n${lines}`);
  const trace = join(root.cwd, 'trace');
  const program = startCommand(t, expectProgram('strace'), [
    // -D: strace is the child, so that ending the program ends both.
    ...['-D', '-f', '-qq', '-e', 'trace=connect,sendto,sendmmsg', '-e', 'signal=none', '-o', trace],
    ...[process.execPath, builtProgram('tcpsrun'), '127.0.0.1', '0', runFile],
  ]);
  const [, port = ''] = await program.logLine(/listening.*\bport=(\d+)/);
  const client = await connectWireClient(Number(port));
  await client.login('ann@example.org', 'open sesame');
  await client.ok('QUIT');
  client.end();
  await program.logLine(/^tcpsrun: end /);
  t.notMatch(readFileSync(trace, 'latin1'), /AF_INET|nscd/);
});
