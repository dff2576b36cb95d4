// pop3d run by hand: over pipes, files and sockets that somebody else opened.

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { chunkings } from '../support/sessions/chunkings.js';
import { makeInbox, type MaildirFixture } from '../support/mail/maildir-fixture.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import {
  builtProgram,
  runCommand,
  runProgram,
  startProgram,
} from '../support/programs/run-program.js';
import { makeSocketPair } from '../support/sessions/socket-pair.js';
import { WireClient } from '../support/sessions/wire-client.js';
import { testFolder } from '../support/suite/test-folder.js';
import { recordingLogger } from '../support/suite/recording-logger.js';

const hello = 'Subject: hello\n\n.dot\nworld\n';
const helloSent = 'Subject: hello\r\n\r\n.dot\r\nworld\r\n';
const script = 'user ann@example.org\r\npass open sesame\r\nlist\r\nquit\r\n';

function makeMailRoot(t: Test): { readonly cwd: string; readonly inbox: MaildirFixture } {
  const cwd = testFolder(t, {});
  makePasswordDatabase(join(cwd, 'passdb.sqlite'), { 'ann@example.org': 'open sesame' });
  const inbox = makeInbox(cwd, 'ann@example.org');
  inbox.add(hello);
  inbox.add('Subject: second\n\nbody\n');
  return { cwd, inbox };
}

/** Not in testFolder(t), whose path is too long for a Unix socket. */
function socketPath(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'pop3d-pipe-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  return join(folder, 'socket');
}

t.test('a session typed into a pipe is answered line by line', async (t) => {
  const { cwd } = makeMailRoot(t);
  const { status, stdout, stderr } = await runProgram(t, 'pop3d', [], { cwd, input: script });
  const [greeting, user, pass, list, ...rest] = stdout.toString('latin1').split('\r\n');
  for (const line of [greeting, user, pass, list]) t.match(line, /^\+OK/);
  t.strictSame(rest.slice(0, 3), [`1 ${helloSent.length}`, '2 25', '.']);
  t.match(rest[3], /^\+OK/);
  t.strictSame(rest.slice(4), ['']);
  t.equal(status, 0);
  t.match(stderr, /^pop3d: login .*ann@example\.org/m);
  t.match(stderr, /^pop3d: logout .*reason=quit/m);
  t.notMatch(stderr, 'sesame');
});

t.test('a session in a file gives the bytes that a pipe gives', async (t) => {
  const { cwd } = makeMailRoot(t);
  const path = join(cwd, 'script');
  writeFileSync(path, script);
  const file = openSync(path, 'r');
  const fromFile = await startProgram(t, 'pop3d', [], { cwd, fds: [file] }).finish();
  closeSync(file);
  const fromPipe = await runProgram(t, 'pop3d', [], { cwd, input: script });
  t.equal(fromFile.stdout.toString(), fromPipe.stdout.toString());
  t.equal(fromFile.status, 0);
});

t.test('replies can go to a file', async (t) => {
  const { cwd } = makeMailRoot(t);
  const path = join(cwd, 'replies');
  const file = openSync(path, 'w');
  const { status } = await startProgram(t, 'pop3d', [], { cwd, fds: [null, file] }).finish(script);
  closeSync(file);
  t.equal(status, 0);
  t.match(readFileSync(path, 'latin1'), /^\+OK.*\r\n(?:.*\r\n)*2 25\r\n\.\r\n\+OK.*\r\n$/);
});

for (const { name, split } of chunkings) {
  t.test(`a pipelined session that arrives ${name} gives the same bytes`, async (t) => {
    const { cwd } = makeMailRoot(t);
    const conversation =
      'CAPA\r\nUSER ann@example.org\r\nPASS open sesame\r\nSTAT\r\nLIST\r\nUIDL\r\nRETR 1\r\n' +
      'TOP 2 0\r\nDELE 2\r\nLIST 2\r\nNONSENSE\r\nRSET\r\nNOOP\r\nQUIT\r\n';
    const whole = await runProgram(t, 'pop3d', [], { cwd, input: conversation });
    t.equal(whole.status, 0);
    t.ok(whole.stdout.includes('.' + '.dot\r\n'), 'the dot is stuffed');

    const program = startProgram(t, 'pop3d', [], { cwd });
    for (const piece of split(Buffer.from(conversation))) {
      await new Promise((resolve) => program.stdin.write(piece, resolve));
    }
    const { stdout } = await program.finish();
    t.equal(stdout.toString('latin1'), whole.stdout.toString('latin1'));
  });
}

for (const kind of ['TCP', 'Unix'] as const) {
  t.test(`the connection can be a ${kind} socket on descriptors 0 and 1`, async (t) => {
    const { cwd, inbox } = makeMailRoot(t);
    const pair = await makeSocketPair(kind === 'Unix' ? socketPath(t) : undefined);
    const program = startProgram(t, 'pop3d', [], { cwd, fds: [pair.server, pair.server] });
    pair.server.destroy();
    const client = new WireClient(pair.client, pair.client);
    await client.login('ann@example.org', 'open sesame');
    t.equal((await client.message('RETR 1')).toString(), helloSent);
    await client.ok('DELE 1');
    await client.ok('QUIT');
    t.equal((await client.rest()).length, 0, 'nothing after the reply to QUIT');
    t.equal((await program.ending).status, 0);
    t.equal(inbox.contents().length, 1);
  });

  t.test(`the connection can be a ${kind} socket on a descriptor given by number`, async (t) => {
    const { cwd } = makeMailRoot(t);
    const pair = await makeSocketPair(kind === 'Unix' ? socketPath(t) : undefined);
    const program = startProgram(t, 'pop3d', ['3'], { cwd, fds: [null, null, null, pair.server] });
    pair.server.destroy();
    const client = new WireClient(pair.client, pair.client);
    await client.login('ann@example.org', 'open sesame');
    t.equal((await client.listing('LIST')).length, 2);
    await client.ok('QUIT');
    t.equal((await client.rest()).length, 0);
    const { status, stdout } = await program.finish();
    t.equal(status, 0);
    t.equal(stdout.length, 0, 'its standard output is not the connection');
  });
}

t.test('a client that goes without QUIT deletes nothing', async (t) => {
  const { cwd, inbox } = makeMailRoot(t);
  const program = startProgram(t, 'pop3d', [], { cwd });
  const client = new WireClient(program.stdout, program.stdin);
  await client.login('ann@example.org', 'open sesame');
  await client.ok('DELE 1');
  client.end();
  t.equal((await program.ending).status, 0);
  t.match(program.stderr, /^pop3d: logout .*reason=disconnect/m);
  t.equal(inbox.contents().length, 2);
});

t.test('a client that goes right after QUIT has its deletions', async (t) => {
  const { cwd, inbox } = makeMailRoot(t);
  const pair = await makeSocketPair();
  const program = startProgram(t, 'pop3d', [], { cwd, fds: [pair.server, pair.server] });
  pair.server.destroy();
  const client = new WireClient(pair.client, pair.client);
  await client.login('ann@example.org', 'open sesame');
  await client.ok('DELE 1');
  await new Promise<void>((resolve) => pair.client.end('QUIT\r\n', resolve));
  client.destroy();
  await program.ending;
  t.strictSame(inbox.contents(), [Buffer.from('Subject: second\n\nbody\n')]);
});

t.test('access level 0 closes without a byte', async (t) => {
  const { cwd } = makeMailRoot(t);
  const byOption = await runProgram(t, 'pop3d', ['--accesslevel', '0'], { cwd, input: script });
  t.strictSame([byOption.status, byOption.stdout.length], [0, 0]);
  const bySlash = await runProgram(t, 'pop3d', ['/ACCESSLEVEL:0'], { cwd, input: script });
  t.strictSame([bySlash.status, bySlash.stdout.length], [0, 0]);
  const byVariable = await runProgram(t, 'pop3d', [], { cwd, env: { ACCESSLEVEL: '0' } });
  t.strictSame([byVariable.status, byVariable.stdout.length], [0, 0]);
});

t.test('a usage error says what is wrong on stderr, in two lines, and exits 100', async (t) => {
  for (const [args, complaint] of [
    [['--nonsense'], '--nonsense'],
    [['--idle-timeout'], '--idle-timeout'],
    [['--idle-timeout', 'soon'], '--idle-timeout'],
    [['3', '4'], '"4"'],
  ] as const) {
    const { status, stdout, stderr } = await runProgram(t, 'pop3d', args);
    t.equal(status, 100);
    t.equal(stdout.length, 0);
    t.match(stderr, complaint);
    t.equal(stderr.split('\n').length, 3);
  }
});

t.test('why it cannot serve is in syslog where nobody reads standard error', async (t) => {
  const program = `"$0" "$1" --tls-cert none.crt --tls-key none.key`;
  for (const [how, command] of [
    ['one pipe for standard output and standard error', `${program} 2>&1`],
    ['--log syslog', `${program} --log syslog`],
  ] as const) {
    await t.test(how, async (t) => {
      const logger = recordingLogger(t);
      const words = ['-c', command, process.execPath, builtProgram('pop3d')];
      const env = { PATH: logger.path };
      const { status, stdout } = await runCommand(t, 'sh', words, { env });
      t.equal(status, 100);
      t.match(stdout.toString(), /^-ERR \[SYS\/TEMP\] .*syslog\r\n$/, 'the peer is told so');
      t.match(await logger.recorded(3), /^fatal: none\.crt: no such file or directory$/m);
    });
  }
});
