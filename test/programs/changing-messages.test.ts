// Messages that other programs replace, write to or remove between LIST and RETR, and while they are sent: the octets that
// were announced are sent, or the reply stays without its terminator.

import { appendFileSync, existsSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { asSent } from '../support/mail/as-sent.js';
import { makeOwnedMailRoot, type OwnedMailRoot } from '../support/mail/owned-mail-root.js';
import { startProgram, type RunningProgram } from '../support/programs/run-program.js';
import { WireClient } from '../support/sessions/wire-client.js';

interface Session {
  readonly program: RunningProgram;
  readonly client: WireClient;
}

async function logIn(t: Test, { cwd }: OwnedMailRoot): Promise<Session> {
  const program = startProgram(t, 'pop3d', [], { cwd });
  const client = new WireClient(program.stdout, program.stdin);
  await client.login('ann@example.org', 'open sesame');
  return { program, client };
}

/** A message of so many lines of sixteen bytes. */
function letterOf(lineCount: number): string {
  return `a: b\n\n${'0123456789abcde\n'.repeat(lineCount)}`;
}

/** Over 256 KiB: sent in pieces, its octets announced before the last of them is read. */
const large = letterOf(20_000);

/** A pipe and all buffers are full long before its end. */
const huge = letterOf(2_000_000);

const isEnded = /\r\n\.\r\n$/;

/** Sends a command, and goes on when the reply has begun and cannot go on for want of a reader. */
async function stall({ program, client }: Session, command: string): Promise<void> {
  program.stdout.pause();
  client.write(`${command}\r\n`);
  await new Promise((resolve) => program.stdout.once('readable', resolve));
}

t.test('a message replaced between LIST and RETR is announced as it is sent', async (t) => {
  const root = makeOwnedMailRoot(t);
  const name = root.inbox.add('short\n\n');
  const { client } = await logIn(t, root);
  t.strictSame(await client.listing('LIST'), ['1 9']);
  writeFileSync(join(root.inbox.path, 'new', name), 'longer than it was\n\nby a body\n');
  t.match(await client.ok('RETR 1'), /^\+OK 33 /);
  t.equal((await client.multiline()).length, 33);
  await client.ok('QUIT');
});

for (const [what, stored] of [
  ['as large', letterOf(20_000).replace('0123', '\n\n\n\n')],
  ['somewhat larger', letterOf(20_100)],
  ['somewhat smaller', letterOf(19_900)],
] as const) {
  t.test(
    `a large message replaced by one that is ${what} is never ended as if it were the old one`,
    async (t) => {
      const root = makeOwnedMailRoot(t);
      const path = join(root.inbox.path, 'new', root.inbox.add(large));
      const first = await logIn(t, root);
      t.strictSame(await first.client.listing('LIST'), [`1 ${asSent(Buffer.from(large)).length}`]);
      writeFileSync(`${path}.other`, stored);
      renameSync(`${path}.other`, path);
      first.client.write('RETR 1\r\nDELE 1\r\nQUIT\r\n');
      t.equal(await first.client.status(), `+OK ${asSent(Buffer.from(large)).length} octets`);
      const rest = await first.client.rest();
      t.notMatch(rest.toString('latin1', rest.length - 5), isEnded);
      await first.program.ending;
      t.match(first.program.stderr, /octets-corrected .*believed=340008 /);
      t.match(first.program.stderr, /logout .*reason=error .*retr=0\/0 .*dele=0 /);

      const { client } = await logIn(t, root);
      const sent = asSent(Buffer.from(stored));
      t.strictSame(await client.listing('LIST'), [`1 ${sent.length}`], 'the next session knows');
      t.equal(await client.ok('RETR 1'), `+OK ${sent.length} octets`);
      t.ok((await client.multiline()).equals(sent));
      await client.ok('QUIT');
    },
  );
}

t.test('a large message that has grown beyond its octets is counted anew', async (t) => {
  const root = makeOwnedMailRoot(t);
  const path = join(root.inbox.path, 'new', root.inbox.add(large));
  const { client } = await logIn(t, root);
  await client.listing('LIST');
  const grown = large + letterOf(10_000);
  writeFileSync(path, grown);
  const sent = asSent(Buffer.from(grown));
  t.equal(await client.ok('RETR 1'), `+OK ${sent.length} octets`);
  t.ok((await client.multiline()).equals(sent));
  await client.ok('QUIT');
});

t.test(
  'octets that the name of a large message has wrong are never announced for it',
  async (t) => {
    const root = makeOwnedMailRoot(t);
    // As servers count that do not add the line end that is missing.
    const stored = large.slice(0, -1);
    const sent = asSent(Buffer.from(stored));
    root.inbox.add(stored, { name: `1700000001.M1P1.x,W=${sent.length - 2}` });
    const { client, program } = await logIn(t, root);
    t.strictSame(await client.listing('LIST'), [`1 ${sent.length - 2}`]);
    t.equal(await client.ok('RETR 1'), `+OK ${sent.length} octets`);
    t.ok((await client.multiline()).equals(sent));
    await client.ok('QUIT');
    client.end();
    await program.ending;
    t.strictSame(await (await logIn(t, root)).client.listing('LIST'), [`1 ${sent.length}`]);
  },
);

t.test('what is added to a message while it is sent is left out', async (t) => {
  const root = makeOwnedMailRoot(t);
  const path = join(root.inbox.path, 'new', root.inbox.add(huge));
  const sent = asSent(Buffer.from(huge));
  for (const command of ['RETR 1', 'TOP 1 99999999']) {
    truncateSync(path, huge.length);
    const session = await logIn(t, root);
    await stall(session, command);
    appendFileSync(path, 'and more\n'.repeat(100_000));
    session.program.stdout.resume();
    t.match(await session.client.status(), /^\+OK/);
    t.ok((await session.client.multiline()).equals(sent), command);
    await session.client.ok('QUIT');
  }
});

for (const command of ['RETR 1', 'TOP 1 99999999']) {
  t.test(
    `a message that becomes shorter during ${command} is not ended as if it were whole`,
    async (t) => {
      const root = makeOwnedMailRoot(t);
      const path = join(root.inbox.path, 'new', root.inbox.add(huge));
      const session = await logIn(t, root);
      await stall(session, command);
      truncateSync(path, 16_000_006);
      session.program.stdout.resume();
      const rest = await session.client.rest();
      t.ok(rest.length < asSent(Buffer.from(huge)).length);
      t.notMatch(rest.toString('latin1', rest.length - 5), isEnded);
      await session.program.ending;
      t.match(session.program.stderr, /logout .*reason=error .*retr=0\/0 top=0\/0 /);
    },
  );

  t.test(`a message that is removed during ${command} is sent to its end`, async (t) => {
    const root = makeOwnedMailRoot(t);
    const name = root.inbox.add(huge);
    const session = await logIn(t, root);
    await stall(session, command);
    root.inbox.remove('new', name);
    session.program.stdout.resume();
    t.match(await session.client.status(), /^\+OK/);
    t.ok((await session.client.multiline()).equals(asSent(Buffer.from(huge))));
    t.match(await session.client.command(command), /^-ERR/);
    await session.client.ok('QUIT');
    t.notOk(existsSync(join(root.inbox.path, 'new', name)));
  });
}
