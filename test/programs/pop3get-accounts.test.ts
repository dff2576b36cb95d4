// pop3get --config: several accounts, of which some fail.

import { mkdirSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  makeMaildir,
  numberedMessages,
  sortedContents,
  startFakeServer,
  storedContents,
  type FakeServer,
  type FakeServerOptions,
} from '../support/programs/pop3get-fixture.js';
import { runProgram, type Result } from '../support/programs/run-program.js';

interface Scene {
  readonly ann: FakeServer;
  readonly bob: FakeServer;
  readonly maildirs: readonly string[];
  readonly run: (args?: readonly string[]) => Promise<Result>;
}

/** ann and bob can be fetched; carl is refused, dora has no server, and eve's Maildir is missing. */
async function setScene(t: Test): Promise<Scene> {
  const ann = await startFakeServer(t, { messages: numberedMessages(3) });
  const bob = await startFakeServer(t, { messages: numberedMessages(5) });
  const carl = await startFakeServer(t, {
    messages: [],
    fault: (line) => (line.startsWith('PASS') ? '-ERR [AUTH] no\r\n' : undefined),
  });
  const maildirs = [makeMaildir(t), makeMaildir(t)];
  const folder = t.testdir();
  mkdirSync(join(folder, 'secrets'));
  const secret = join(folder, 'secrets', 'one');
  writeFileSync(secret, 'secret\n', { mode: 0o600 });
  const file = join(folder, 'accounts');
  const [first = '', second = ''] = maildirs;
  writeFileSync(
    file,
    `[defaults]
domain = 127.0.0.1
password-file = ${secret}
directory = ${first}
[ann]
username = ann
port = ${ann.port}
[bob]
username = bob
port = ${bob.port}
directory = ${second}
[carl]
username = carl
port = ${carl.port}
[dora]
username = dora
port = 1
[eve]
username = eve
port = ${ann.port}
directory = ${folder}/nothing
[fay]
username = fay
timeout = never
`,
  );
  const run = (args: readonly string[] = []): Promise<Result> =>
    runProgram(t, 'pop3get', ['--config', file, ...args]);
  return { ann, bob, maildirs, run };
}

t.test('all accounts run, whatever becomes of others; the worst exit status counts', async (t) => {
  const { ann, bob, maildirs, run } = await setScene(t);
  const result = await run(['--json']);
  t.equal(result.status, 100, result.stderr);
  t.equal(ann.messages.length + bob.messages.length, 0);
  t.same([...storedContents(maildirs[0] ?? '')].sort(), sortedContents(numberedMessages(3)));
  t.same([...storedContents(maildirs[1] ?? '')].sort(), sortedContents(numberedMessages(5)));
  const { accounts, exit } = JSON.parse(result.stdout.toString()) as {
    accounts: readonly { account: string; exit: number }[];
    exit: number;
  };
  t.equal(exit, 100);
  t.same(
    accounts.map((one) => one.exit),
    [0, 0, 100, 111, 100, 100],
  );
  t.match(result.stderr, /failed error=".*refused the login of carl/);
  t.match(result.stderr, /failed error="option --timeout needs .*account=fay/);
  t.match(
    result.stderr,
    /accounts failed="carl@127.0.0.1, dora@127.0.0.1, eve@127.0.0.1, fay" accounts=6 stored=8 deleted=8 exit=100/,
  );
});

t.test('those that are named run alone, and --quiet says nothing of what went well', async (t) => {
  const { ann, bob, run } = await setScene(t);
  const quiet = await run(['--quiet', 'bob']);
  t.equal(quiet.status, 0, quiet.stderr);
  t.equal(quiet.stderr, '');
  t.equal(bob.messages.length, 0);
  t.equal(ann.messages.length, 3);
  const failing = await run(['--quiet', 'ann', 'dora']);
  t.equal(failing.status, 111);
  t.notMatch(failing.stderr, /ann@/);
  t.match(failing.stderr, /failed error="cannot connect: .*account=dora@127.0.0.1/);
  t.equal(ann.messages.length, 0);
  const alone = await run(['--quiet', 'dora']);
  t.equal(alone.status, 111);
  t.equal(alone.stderr.trimEnd().split('\n').length, 1, 'one account needs no line for all');
  const unknown = await run(['zoe']);
  t.equal(unknown.status, 100);
  t.match(unknown.stderr, /has no account \[zoe\]/);
});

t.test('what each account would do is told with its name', async (t) => {
  const { ann, run } = await setScene(t);
  const result = await run(['--dry-run', 'ann']);
  t.equal(result.status, 0, result.stderr);
  t.match(result.stdout.toString(), /^ann:\nfetch 1 octets=/);
  t.equal(ann.messages.length, 3);
});

t.test('several accounts run at the same time', async (t) => {
  const waiting: Socket[] = [];
  /** A password is answered once both accounts have sent one. */
  const meet: FakeServerOptions['fault'] = (line, _session, socket) => {
    if (!line.startsWith('PASS')) return undefined;
    waiting.push(socket);
    if (waiting.length === 2) for (const one of waiting) one.write('+OK\r\n');
    return '';
  };
  const folder = t.testdir();
  const secret = join(folder, 'secret');
  writeFileSync(secret, 'secret\n', { mode: 0o600 });
  let text = `[defaults]\ndomain = 127.0.0.1\npassword-file = ${secret}\ndirectory = ${makeMaildir(t)}\n`;
  for (const name of ['ann', 'bob']) {
    const server = await startFakeServer(t, { messages: numberedMessages(1), fault: meet });
    text += `[${name}]\nusername = ${name}\nport = ${server.port}\n`;
  }
  const file = join(folder, 'accounts');
  writeFileSync(file, text);
  const { status, stderr } = await runProgram(t, 'pop3get', ['--config', file]);
  t.equal(status, 0, stderr);
  t.match(stderr, /^pop3get: accounts accounts=2 stored=2 deleted=2 exit=0$/m);
});

t.test('accounts whose servers want no login yet are not those that failed', async (t) => {
  const folder = t.testdir();
  const secret = join(folder, 'secret');
  writeFileSync(secret, 'secret\n', { mode: 0o600 });
  let text = `[defaults]\ndomain = 127.0.0.1\npassword-file = ${secret}\ndirectory = ${makeMaildir(t)}\n`;
  for (const name of ['ann', 'bob']) {
    const capabilities = ['USER', 'UIDL', 'LOGIN-DELAY 600'];
    const server = await startFakeServer(t, { messages: numberedMessages(1), capabilities });
    text += `[${name}]\nusername = ${name}\nport = ${server.port}\n`;
  }
  const file = join(folder, 'accounts');
  writeFileSync(file, text);
  const run = (args: readonly string[]): Promise<Result> =>
    runProgram(t, 'pop3get', ['--config', file, ...args]);
  t.equal((await run([])).status, 0);
  const early = await run([]);
  t.equal(early.status, 111);
  t.match(early.stderr, /accounts too-early="ann@127.0.0.1, bob@127.0.0.1" accounts=2 stored=0/);
  const cron = await run(['--quiet']);
  t.equal(cron.status, 111);
  t.equal(cron.stderr, '');
});
