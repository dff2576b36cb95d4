// Maildirs with what does not belong there, and Maildirs that change under a session: the good messages are served, and
// nothing is touched that the client did not delete. Dovecot 2.3 refuses or hangs on about half of these.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { unlessRoot } from '../support/debian.js';
import { makeOwnedMailRoot, type OwnedMailRoot } from '../support/owned-mail-root.js';
import { runProgram, startProgram, type RunningProgram } from '../support/run-program.js';
import { WireClient } from '../support/wire-client.js';

const good = ['Subject: one\n\none\n', 'Subject: two\n\n.two\n'];
const goodSent = ['Subject: one\r\n\r\none\r\n', 'Subject: two\r\n\r\n.two\r\n'];

/** A FIFO would be waited for without end; on a busy machine a login takes its time. */
const loginMs = 5000;

interface Odd {
  readonly title: string;
  /** latin1 bytes. */
  readonly name: string;
  readonly make: (path: Buffer) => void;
  /** What RETR says of it, or null when it is no message. */
  readonly sent: string | null;
  readonly skip?: string | false;
}

const notMessage = (title: string, make: Odd['make'], skip: string | false = false): Odd => ({
  title,
  name: '1700000001.M5P1.odd',
  make,
  sent: null,
  skip,
});
const link = (title: string, target: string): Odd =>
  notMessage(title, (path) => {
    symlinkSync(target, path);
  });
const named = (title: string, name: string): Odd => ({
  title,
  name,
  make: (path) => {
    writeFileSync(path, 'x\n');
  },
  sent: 'x\r\n\r\n',
});
const dated = (title: string, date: Date): Odd => ({
  ...named(title, '1700000001.M5P1.odd'),
  make: (path) => {
    writeFileSync(path, 'x\n');
    utimesSync(path, date, date);
  },
});
/** A header without an empty line after it gets one: `x` is sent as two lines. */
const odd: readonly Odd[] = [
  notMessage('a FIFO', (path) => void spawnSync('mkfifo', [path.toString()])),
  notMessage(
    'a device',
    (path) => void spawnSync('mknod', [path.toString(), 'c', '1', '5']),
    unlessRoot(),
  ),
  notMessage('an empty directory', (path) => {
    mkdirSync(path);
  }),
  link('a link to a file of the system', '/etc/passwd'),
  link('a link to a directory', '/etc'),
  link('a link that leads nowhere', 'nowhere'),
  link('a link to itself', '1700000001.M5P1.odd'),
  link('a link to a device without end', '/dev/zero'),
  { ...named('a hidden file', '.1700000001.M5P1.odd'), sent: null },
  {
    ...named('an empty file', '1700000001.M5P1.odd'),
    make: (path) => {
      writeFileSync(path, '');
    },
    sent: '',
  },
  named('a size in the name that is too large', '1700000001.M5P1.odd,S=9999'),
  named('a size in the name that is negative', '1700000001.M5P1.odd,S=-1'),
  named('a size in the name beyond 64 bits', '1700000001.M5P1.odd,S=99999999999999999999'),
  named('two sizes in the name', '1700000001.M5P1.odd,S=1,S=2'),
  named('octets in the name beyond 64 bits', '1700000001.M5P1.odd,W=99999999999999999999'),
  named('octets in the name that are wrong', '1700000001.M5P1.odd,W=4'),
  named('a name of 255 bytes', `1700000001.${'n'.repeat(244)}`),
  named('a name that is not UTF-8', '1700000001.\xff\xfe'),
  named('a name with a line feed', '1700000001.a\nb'),
  named('a name with a space', '1700000001.a b'),
  named('a name that begins with a hyphen', '-1700000001.odd'),
  named('a name without a time', 'odd'),
  named('a name of flags alone', ':2,S'),
  named('a name with two colons', '1700000001.odd:2,S:2,T'),
  named('flags of the old kind', '1700000002.odd:1,S'),
  named('flags that nobody knows', '1700000003.odd:2,ZZZ'),
  dated('a file of 1970', new Date(0)),
  dated('a file of 2106', new Date('2106-02-08')),
];

function put(root: OwnedMailRoot, folder: 'new' | 'cur', { name, make }: Odd): Buffer {
  const path = Buffer.concat([
    Buffer.from(`${root.inbox.path}/${folder}/`),
    Buffer.from(name, 'latin1'),
  ]);
  make(path);
  return path;
}

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

/** The messages as RETR sends them, each with as many octets as were announced. */
async function retrieveAll(t: Test, client: WireClient): Promise<string[]> {
  const messages: string[] = [];
  for (const line of await client.listing('LIST')) {
    const [number = ''] = line.split(' ');
    const status = await client.ok(`RETR ${number}`);
    const message = await client.multiline();
    t.match(status, new RegExp(`^\\+OK ${message.length} `), 'octets announced are octets sent');
    messages.push(message.toString('latin1'));
  }
  return messages;
}

for (const kind of odd) {
  t.test(
    `${kind.title} costs no login and no other message`,
    { skip: kind.skip ?? false },
    async (t) => {
      for (const folder of ['new', 'cur'] as const) {
        const root = makeOwnedMailRoot(t);
        for (const message of good) root.inbox.add(message);
        const path = put(root, folder, kind);
        const before = lstatSync(path).ino;
        const { client, program } = start(t, root);
        const startedMs = performance.now();
        await client.login('ann@example.org', 'open sesame');
        t.ok(performance.now() - startedMs < loginMs, 'the login is not held up');
        const expected = kind.sent === null ? goodSent : [...goodSent, kind.sent];
        t.strictSame((await retrieveAll(t, client)).sort(), [...expected].sort(), folder);
        await client.ok('DELE 1');
        await client.ok('RSET');
        await client.ok('QUIT');
        t.equal(await ended(client, program), 0);
        t.equal(lstatSync(path).ino, before, 'it is left where it was');
      }
    },
  );
}

t.test('all of them together cost no more', async (t) => {
  const root = makeOwnedMailRoot(t);
  for (const message of good) root.inbox.add(message);
  const there = odd.filter(({ skip = false }) => skip === false);
  for (const [index, kind] of there.entries()) {
    // One name each, where the name is not what is odd.
    const name = kind.name === '1700000001.M5P1.odd' ? `17000001${index}.M5P1.odd` : kind.name;
    put(root, 'cur', { ...kind, name });
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

t.test('a message replaced between LIST and RETR is announced as it is sent', async (t) => {
  const root = makeOwnedMailRoot(t);
  const name = root.inbox.add('short\n\n');
  const { client } = start(t, root);
  await client.login('ann@example.org', 'open sesame');
  t.strictSame(await client.listing('LIST'), ['1 9']);
  writeFileSync(join(root.inbox.path, 'new', name), 'longer than it was\n\nby a body\n');
  t.match(await client.ok('RETR 1'), /^\+OK 33 /);
  t.equal((await client.multiline()).length, 33);
  await client.ok('QUIT');
});

t.test(
  'a message that becomes shorter while it is sent is not ended as if it were whole',
  async (t) => {
    const root = makeOwnedMailRoot(t);
    const name = root.inbox.add(`a: b\n\n${'0123456789abcde\n'.repeat(2_000_000)}`);
    const { client, program } = start(t, root);
    await client.login('ann@example.org', 'open sesame');
    program.stdout.pause();
    client.write('RETR 1\r\n');
    // Its pipe is full long before the end: it waits for this reader.
    await new Promise((resolve) => program.stdout.once('readable', resolve));
    truncateSync(join(root.inbox.path, 'new', name), 1_000_000);
    program.stdout.resume();
    const rest = (await client.rest()).toString('latin1');
    t.notMatch(rest.slice(-5), '\r\n.\r\n');
    await program.ending;
    t.match(program.stderr, /logout .*reason=error .*retr=0\/0 /);
  },
);

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
