// pop3d started as root: it becomes the owner of the maildrop after the password and before the mail.

import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { readLastLogins } from '../../src/auth/sqlite/last-logins.js';
import { poll } from '../support/suite/deadline.js';
import { expectProgram, unlessRoot } from '../support/peers/debian.js';
import { startMailServer } from '../support/programs/mail-server.js';
import { makeOwnedMailRoot, nobody, type OwnedMailRoot } from '../support/mail/owned-mail-root.js';
import { addAccounts } from '../support/accounts/password-database-fixture.js';
import {
  builtProgram,
  startCommand,
  startProgram,
  type RunningProgram,
} from '../support/programs/run-program.js';
import { connectWireClient, WireClient } from '../support/sessions/wire-client.js';

const skip = unlessRoot();

/** Real, effective, saved and file-system ids, and the groups, as the kernel has them. */
function idsOf(pid: number): { uids: string; gids: string; groups: string } {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const field = (name: string): string =>
    (new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '').trim().replace(/\s+/g, ' ');
  return { uids: field('Uid'), gids: field('Gid'), groups: field('Groups') };
}

function start(t: Test, { cwd }: OwnedMailRoot): { program: RunningProgram; client: WireClient } {
  const program = startProgram(t, 'pop3d', ['--failure-delay', '0'], { cwd });
  return { program, client: new WireClient(program.stdout, program.stdin) };
}

t.test(
  'after the password it is the owner for good, with no groups of root',
  { skip },
  async (t) => {
    const root = makeOwnedMailRoot(t);
    root.inbox.add('one\n');
    root.inbox.add('two\n');
    root.giveAway();
    const { program, client } = start(t, root);
    await client.status();
    t.match(idsOf(program.pid).uids, /^0 /, 'root until then');
    await client.ok('USER ann@example.org');
    await client.ok('PASS open sesame');
    const id = String(nobody);
    t.strictSame(idsOf(program.pid), {
      uids: Array(4).fill(id).join(' '),
      gids: Array(4).fill(id).join(' '),
      groups: id,
    });
    t.equal((await client.listing('LIST')).length, 2);
    await client.ok('DELE 1');
    await client.ok('QUIT');
    await program.ending;
    t.strictSame(root.inbox.contents().map(String), ['two\n']);
    const octets = statSync(join(root.inbox.path, 'pop3d.octets'));
    t.strictSame([octets.uid, octets.gid], [nobody, nobody], "what it writes is the owner's");
  },
);

t.test(
  "of a maildrop with root's group it takes the owner and no group of root",
  { skip },
  async (t) => {
    const root = makeOwnedMailRoot(t);
    root.inbox.add('one\n');
    root.giveAway();
    chownSync(root.inbox.path, nobody, 0);
    const { program, client } = start(t, root);
    await client.login('ann@example.org', 'open sesame');
    const { gids, groups } = idsOf(program.pid);
    t.notOk(`${gids} ${groups}`.split(' ').includes('0'), `${gids}, ${groups}`);
    t.equal(await client.ok('STAT'), '+OK 1 7');
    await client.ok('QUIT');
  },
);

for (const [what, option] of [
  ['effective', '--ruid'],
  ['real', '--euid'],
] as const) {
  t.test(
    `started with root as the ${what} user only, nothing of root remains`,
    { skip },
    async (t) => {
      const root = makeOwnedMailRoot(t);
      root.inbox.add('one\n');
      root.giveAway();
      chmodSync(join(root.cwd, 'passdb.sqlite'), 0o644);
      const program = startCommand(
        t,
        expectProgram('setpriv'),
        [option, String(other), builtProgram('src/programs/pop3d.cjs')],
        { cwd: root.cwd },
      );
      const client = new WireClient(program.stdout, program.stdin);
      await client.login('ann@example.org', 'open sesame');
      const { uids, gids, groups } = idsOf(program.pid);
      const id = String(nobody);
      t.strictSame([uids, gids], [Array(4).fill(id).join(' '), Array(4).fill(id).join(' ')]);
      t.equal(groups, id);
      await client.ok('QUIT');
    },
  );
}

t.test('a wrong password leaves it what it is, and reads no mail', { skip }, async (t) => {
  const root = makeOwnedMailRoot(t);
  root.giveAway();
  const { program, client } = start(t, root);
  await client.status();
  await client.ok('USER ann@example.org');
  t.match(await client.command('PASS wrong'), /^-ERR \[AUTH\]/);
  t.match(idsOf(program.pid).uids, /^0 /);
});

t.test('without INBOX the nearest directory above says who the owner is', { skip }, async (t) => {
  for (const keep of ['example.org/ann', 'example.org']) {
    const root = makeOwnedMailRoot(t);
    rmSync(join(root.cwd, 'example.org'), { recursive: true });
    mkdirSync(join(root.cwd, keep), { recursive: true });
    chownSync(join(root.cwd, keep), nobody, nobody);
    const { program, client } = start(t, root);
    await client.login('ann@example.org', 'open sesame');
    t.equal(await client.ok('STAT'), '+OK 0 0');
    t.match(idsOf(program.pid).uids, new RegExp(`^${nobody} `), keep);
    await client.ok('QUIT');
  }
});

t.test('a maildrop of root is served as root, with a warning in the log', { skip }, async (t) => {
  const root = makeOwnedMailRoot(t);
  root.inbox.add('one\n');
  const { program, client } = start(t, root);
  await client.login('ann@example.org', 'open sesame');
  t.ok(await program.logLine(/warning .*root/));
  t.equal(await client.ok('STAT'), '+OK 1 7');
  await client.ok('QUIT');
});

t.test('a link to mail of another user gives nothing away', { skip }, async (t) => {
  const root = makeOwnedMailRoot(t);
  root.giveAway();
  const { client } = start(t, root);
  const { path } = root.inbox;
  // The user replaces a message by a link to what only root may read.
  root.inbox.add('one\n', { name: '1.M1P1.h' });
  symlinkSync('/etc/shadow', join(path, 'new', '2.M1P1.h'));
  await client.login('ann@example.org', 'open sesame');
  t.strictSame((await client.listing('UIDL')).length, 1);
  await client.ok('QUIT');
});

t.test(
  'a kept worker of root refuses mail of another user, and stays root',
  { skip },
  async (t) => {
    const root = makeOwnedMailRoot(t);
    root.inbox.add('one\n');
    root.giveAway();
    const { port, program } = await startMailServer(t, root.cwd, { args: ['--workers', '1'] });
    const [, pid = ''] = await program.logLine(/worker pid=([0-9]+)/);
    const client = await poll('a session in the worker', async () => {
      const candidate = await connectWireClient(port);
      await candidate.status();
      if (new RegExp(`connect .* pid=${pid}$`, 'm').test(program.stderr)) return candidate;
      candidate.destroy();
      return undefined;
    });
    await client.ok('USER ann@example.org');
    t.match(await client.command('PASS open sesame'), /^-ERR \[SYS\/PERM\] /);
    t.match(await client.command('STAT'), /^-ERR /, 'nobody is logged in');
    await program.logLine(/failure .*code=SYS\/PERM user=ann@example\.org .*give tcpsrun --user/);
    t.match(idsOf(Number(pid)).uids, /^0 0 0 0$/);
    t.strictSame(readdirSync(root.inbox.path).sort(), ['cur', 'new', 'tmp'], 'nothing was written');
    t.equal(root.inbox.contents().length, 1);
    // As tcpsrun without --user may well be meant: for mail that is root's own.
    for (const path of [root.inbox.path, dirname(root.inbox.path)]) chownSync(path, 0, 0);
    await client.ok('USER ann@example.org');
    await client.ok('PASS open sesame');
    await program.logLine(/warning .*root/);
    await client.ok('QUIT');
    client.end();
  },
);

/** What whoever owns the directory above INBOX can put in its place, and what becomes of the process then. */
const placedByTheUser = [
  {
    what: 'a link to mail of another user',
    place: (home: string) => symlinkSync('../bob/INBOX', join(home, 'INBOX')),
    why: /is a symbolic link/,
  },
  {
    what: "a link to root's directory",
    place: (home: string) => symlinkSync('/root', join(home, 'INBOX')),
    why: /is a symbolic link/,
  },
  {
    what: 'a directory of another user',
    place: (home: string) => makeMaildir(join(home, 'INBOX'), other),
    why: /different owners/,
  },
] as const;

/** Neither root nor `nobody`. */
const other = 20_001;

function makeMaildir(path: string, uid: number): void {
  for (const name of ['', 'new', 'cur', 'tmp']) {
    mkdirSync(join(path, name), { recursive: true });
    chownSync(join(path, name), uid, uid);
  }
}

for (const { what, place, why } of placedByTheUser) {
  t.test(
    `${what} in the place of INBOX lends its owner's rights to nobody`,
    { skip },
    async (t) => {
      const root = makeOwnedMailRoot(t);
      const home = dirname(root.inbox.path);
      makeMaildir(join(root.cwd, 'example.org', 'bob', 'INBOX'), other);
      root.inbox.add('one\n');
      root.giveAway();
      renameSync(root.inbox.path, join(home, 'aside'));
      place(home);
      const { program, client } = start(t, root);
      await client.status();
      await client.ok('USER ann@example.org');
      t.match(await client.command('PASS open sesame'), /^-ERR \[SYS\/PERM\] /);
      await program.logLine(why);
      t.match(idsOf(program.pid).uids, /^0 0 0 0$/, 'it did not become anybody');
      // Put back, it is served with the rights of its owner, and of nobody else.
      rmSync(join(home, 'INBOX'), { recursive: true });
      renameSync(join(home, 'aside'), root.inbox.path);
      await client.ok('USER ann@example.org');
      await client.ok('PASS open sesame');
      t.match(idsOf(program.pid).uids, new RegExp(`^${nobody} `));
      await client.ok('QUIT');
    },
  );
}

t.test("root's directory moved to where INBOX was is read as its mover", { skip }, async (t) => {
  const root = makeOwnedMailRoot(t);
  const home = dirname(root.inbox.path);
  root.inbox.add('one\n');
  root.giveAway();
  renameSync(root.inbox.path, join(home, 'aside'));
  makeMaildir(join(home, 'INBOX'), 0);
  chmodSync(join(home, 'INBOX', 'cur'), 0o700);
  const { program, client } = start(t, root);
  await client.status();
  await client.ok('USER ann@example.org');
  t.match(await client.command('PASS open sesame'), /^-ERR \[SYS\//);
  t.match(idsOf(program.pid).uids, new RegExp(`^${nobody} `));
});

t.test('nothing is done as root where others may write on the way', { skip }, async (t) => {
  for (const folder of ['example.org', 'example.org/ann', 'example.org/ann/INBOX', '.']) {
    const root = makeOwnedMailRoot(t);
    root.inbox.add('one\n');
    chmodSync(join(root.cwd, folder), 0o777);
    const { program, client } = start(t, root);
    await client.status();
    await client.ok('USER ann@example.org');
    t.match(await client.command('PASS open sesame'), /^-ERR \[SYS\/PERM\] /, folder);
    await program.logLine(/others may write/);
  }
});

t.test(
  'where others may write but change nothing of root, as in /tmp, it goes on',
  { skip },
  async (t) => {
    const root = makeOwnedMailRoot(t);
    root.inbox.add('one\n');
    for (const folder of ['.', 'example.org', 'example.org/ann']) {
      chmodSync(join(root.cwd, folder), 0o1777);
    }
    const { program, client } = start(t, root);
    await client.login('ann@example.org', 'open sesame');
    t.equal(await client.ok('STAT'), '+OK 1 7');
    await client.ok('QUIT');
    client.end();
    await program.ending;
    // Nothing is there yet, and anybody may put it there.
    rmSync(root.inbox.path, { recursive: true });
    const empty = start(t, root);
    await empty.client.status();
    await empty.client.ok('USER ann@example.org');
    t.match(await empty.client.command('PASS open sesame'), /^-ERR \[SYS\/PERM\] /);
  },
);

t.test('a process with the rights of one user serves no other', { skip }, async (t) => {
  const root = makeOwnedMailRoot(t);
  root.giveAway();
  makeMaildir(join(root.cwd, 'example.org', 'bob', 'INBOX'), other);
  chownSync(join(root.cwd, 'example.org', 'bob'), other, other);
  addAccounts(join(root.cwd, 'passdb.sqlite'), { 'bob@example.org': 'open sesame' });
  // The rights are taken, but the maildrop cannot be opened.
  chmodSync(join(root.inbox.path, 'cur'), 0);
  const { program, client } = start(t, root);
  await client.status();
  await client.ok('USER ann@example.org');
  t.match(await client.command('PASS open sesame'), /^-ERR \[SYS\//);
  t.match(idsOf(program.pid).uids, new RegExp(`^${nobody} `));
  await client.ok('USER bob@example.org');
  t.match(await client.command('PASS open sesame'), /^-ERR \[SYS\/PERM\] /);
  await program.logLine(/rights of another user/);
});

t.test(
  'a user who changes INBOX all the time gets no other rights than the own',
  { skip },
  async (t) => {
    const root = makeOwnedMailRoot(t);
    const home = dirname(root.inbox.path);
    root.inbox.add('one\n');
    root.giveAway();
    symlinkSync('/', join(home, 'link'));
    const changing = startCommand(t, process.execPath, [
      builtProgram('test/support/mail/swap-for-link.js'),
      ...[root.inbox.path, join(home, 'link'), join(home, 'aside')],
    ]);
    await changing.logLine(/swapping/);
    const seen = new Set<string>();
    for (let count = 0; count < 40; count += 1) {
      const { program, client } = start(t, root);
      await client.status();
      await client.ok('USER ann@example.org');
      const reply = await client.command('PASS open sesame');
      const [uid = ''] = idsOf(program.pid).uids.split(' ');
      seen.add(`${reply.slice(0, 3)} ${uid}`);
      t.notOk(reply.startsWith('+OK') && uid === '0', 'nothing is served as root');
      client.end();
      await program.ending;
    }
    t.comment([...seen].join(', '));
  },
);

t.test(
  'the last login is written as root, and its file is closed before it is the owner',
  { skip },
  async (t) => {
    const root = makeOwnedMailRoot(t);
    root.giveAway();
    const file = join(root.cwd, 'last.sqlite');
    const args = ['--last-login', file];
    const program = startProgram(t, 'pop3d', args, { cwd: root.cwd });
    const client = new WireClient(program.stdout, program.stdin);
    await client.status();
    await client.ok('USER ann@example.org');
    await client.ok('PASS open sesame');
    const owner = statSync(file);
    t.strictSame([owner.uid, owner.mode & 0o777], [0, 0o640]);
    const ann = { user: 'ann', domain: 'example.org' };
    t.match(readLastLogins(file, ann), [{ service: 'pop3', mechanism: 'USER' }]);
    const open = readdirSync(`/proc/${program.pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${program.pid}/fd/${fd}`);
      } catch {
        return '';
      }
    });
    t.notOk(open.includes(file), open.join());
    await client.ok('QUIT');
    await program.ending;
    t.notMatch(program.stderr, /last-login/);
  },
);
