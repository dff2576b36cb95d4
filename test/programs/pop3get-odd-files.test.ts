// pop3get where something else stands in the place of its files and folders, or where it may not write: named in one line,
// before a word to the server, and nothing outside the Maildir is made or changed.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { accountTag } from '../../src/pop3-client/journal/message-key.js';
import { expectProgram, unlessInstalled, unlessRoot } from '../support/peers/debian.js';
import { nobody } from '../support/mail/owned-mail-root.js';
import {
  makeMaildir,
  numberedMessages,
  runPop3get,
  sortedContents,
  startFakeServer,
  storedContents,
} from '../support/programs/pop3get-fixture.js';
import { builtProgram, runCommand, type Result } from '../support/programs/run-program.js';
import { testFolder } from '../support/suite/test-folder.js';

const three = numberedMessages(3);
const tag = accountTag('ann@127.0.0.1');
const journal = `pop3get.${tag}.journal`;
const lock = `pop3get.${tag}.lock`;

/** What may stand at a path; `outside` is a file beside the Maildir, which does not exist. */
const obstacles: Readonly<Record<string, (path: string, outside: string) => void>> = {
  'a FIFO': (path) => execFileSync('mkfifo', [path]),
  'a directory': (path) => mkdirSync(path),
  'a link to nothing': (path, outside) => {
    symlinkSync(outside, path);
  },
  'a link to a file': (path, outside) => {
    writeFileSync(outside, 'precious');
    symlinkSync(outside, path);
  },
  'a file of 5 GiB': (path) => {
    writeFileSync(path, '');
    truncateSync(path, 5 * 2 ** 30);
  },
};

function makeOutside(t: Test): string {
  return join(testFolder(t, {}), 'outside');
}

/** The file that an obstacle may have linked to is as it was. */
function checkOutside(t: Test, outside: string, what: string): void {
  if (what === 'a link to a file') t.equal(readFileSync(outside, 'utf8'), 'precious');
  else t.notOk(existsSync(outside), 'nothing is made elsewhere');
}

for (const name of [journal, lock]) {
  const role = name === lock ? 'lock' : 'journal';
  for (const [what, put] of Object.entries(obstacles)) {
    t.test(`${what} in the place of the ${role}: 100, and the file is named`, async (t) => {
      const server = await startFakeServer(t, { messages: three });
      const maildir = makeMaildir(t);
      const path = join(maildir, name);
      const outside = makeOutside(t);
      put(path, outside);
      const { mode, size } = lstatSync(path);
      for (const args of name === journal ? [[], ['--dry-run']] : [[]]) {
        const { status, stderr } = await runPop3get(t, server.port, maildir, args);
        t.equal(status, 100, stderr);
        t.match(stderr, `${path} `);
        t.match(stderr, /remove it/);
        t.match(stderr, /^[^\n]+\n$/, 'one line');
      }
      t.equal(server.sessions, 0, 'nobody was asked for anything');
      checkOutside(t, outside, what);
      t.match(lstatSync(path), { mode, size }, 'it is left as it was');
      rmSync(path, { recursive: true });
      const { status } = await runPop3get(t, server.port, maildir);
      t.equal(status, 0, 'once it is out of the way, all is well');
    });
  }
}

for (const [what, put] of Object.entries(obstacles)) {
  t.test(`${what} in the place of the next journal is not written through`, async (t) => {
    const server = await startFakeServer(t, { messages: three });
    const maildir = makeMaildir(t);
    const outside = makeOutside(t);
    put(join(maildir, `${journal}.tmp`), outside);
    const { status, stderr } = await runPop3get(t, server.port, maildir);
    checkOutside(t, outside, what);
    if (what === 'a directory') {
      t.equal(status, 100, stderr);
      t.match(stderr, `${journal}.tmp`);
      t.equal(server.sessions, 0);
    } else {
      t.equal(status, 0, stderr);
      t.ok(lstatSync(join(maildir, journal)).isFile());
      t.notOk(existsSync(join(maildir, `${journal}.tmp`)));
    }
  });
}

t.test('what is named like a message of ours in tmp, and is none, is left alone', async (t) => {
  const server = await startFakeServer(t, { messages: three });
  const maildir = makeMaildir(t);
  const outside = makeOutside(t);
  writeFileSync(outside, 'precious');
  linkSync(outside, `${outside}.2`);
  const pathOf = (second: number): string => join(maildir, 'tmp', `${second}.M000000A${tag}.host`);
  execFileSync('mkfifo', [pathOf(1)]);
  // With two links they look as if they were delivered.
  linkSync(pathOf(1), join(maildir, 'tmp', 'second-link'));
  mkdirSync(pathOf(2));
  symlinkSync(outside, pathOf(3));
  symlinkSync('nowhere', pathOf(4));
  const names = readdirSync(join(maildir, 'tmp')).sort();
  const { status, stderr } = await runPop3get(t, server.port, maildir);
  t.equal(status, 0, stderr);
  t.same(readdirSync(join(maildir, 'tmp')).sort(), names);
  t.same([...storedContents(maildir)].sort(), sortedContents(three));
  t.equal(readFileSync(outside, 'utf8'), 'precious');
});

for (const folder of ['tmp', 'new', 'cur']) {
  t.test(`${folder} as a symbolic link: 100, and nothing is stored behind it`, async (t) => {
    const server = await startFakeServer(t, { messages: three });
    const maildir = makeMaildir(t);
    const elsewhere = testFolder(t, {});
    rmSync(join(maildir, folder), { recursive: true });
    symlinkSync(elsewhere, join(maildir, folder));
    const { status, stderr } = await runPop3get(t, server.port, maildir);
    t.equal(status, 100);
    t.match(stderr, `${join(maildir, folder)} is a symbolic link`);
    t.equal(server.sessions, 0);
    t.same(readdirSync(elsewhere), []);
  });
}

t.test('the Maildir itself may be a symbolic link: its name is the caller’s', async (t) => {
  const server = await startFakeServer(t, { messages: three });
  const maildir = makeMaildir(t);
  const link = join(testFolder(t, {}), 'Maildir');
  symlinkSync(maildir, link);
  t.equal((await runPop3get(t, server.port, link)).status, 0);
  t.equal(storedContents(maildir).length, 3);
});

t.test('sockets in the place of journal and lock', async (t) => {
  const server = await startFakeServer(t, { messages: three });
  for (const name of [journal, lock]) {
    const maildir = makeMaildir(t);
    const socket = createServer();
    // The path of a socket is short, and its file goes when it is closed.
    const short = join(maildir, 's');
    await new Promise<void>((resolve) => socket.listen(short, resolve));
    renameSync(short, join(maildir, name));
    const { status, stderr } = await runPop3get(t, server.port, maildir);
    await new Promise((resolve) => socket.close(resolve));
    t.equal(status, 100, stderr);
    t.match(stderr, join(maildir, name));
  }
  t.equal(server.sessions, 0);
});

/** Runs it as an ordinary user, to whom permissions mean something. */
function runAsNobody(t: Test, port: number, maildir: string): Promise<Result> {
  const words = ['--port', String(port), '--directory', maildir, '127.0.0.1', 'ann'];
  return runCommand(
    t,
    expectProgram('setpriv'),
    ['--reuid=65534', '--clear-groups', process.execPath, builtProgram('pop3get'), ...words],
    { env: { POP3GET_PASSWORD: 'secret' } },
  );
}

for (const [what, spoil] of [
  ['tmp', (maildir: string) => chmodSync(join(maildir, 'tmp'), 0o500)],
  ['new', (maildir: string) => chmodSync(join(maildir, 'new'), 0o500)],
  ['new', (maildir: string) => chmodSync(join(maildir, 'new'), 0o300)],
  ['cur', (maildir: string) => chmodSync(join(maildir, 'cur'), 0o300)],
  [
    '',
    (maildir: string) => {
      rmSync(join(maildir, lock));
      chmodSync(maildir, 0o500);
    },
  ],
  ['', (maildir: string) => chmodSync(maildir, 0o600)],
  [lock, (maildir: string) => chownSync(join(maildir, lock), 0, 0)],
  [journal, (maildir: string) => chownSync(join(maildir, journal), 0, 0)],
] as const) {
  t.test(
    `no right to use ${what.replace(tag, '*') || 'the Maildir'}: 100, before the login`,
    { skip: unlessRoot() || unlessInstalled('setpriv') },
    async (t) => {
      const server = await startFakeServer(t, { messages: three });
      const maildir = makeMaildir(t);
      for (const path of ['.', 'tmp', 'new', 'cur']) {
        chownSync(join(maildir, path), nobody, nobody);
      }
      t.equal((await runAsNobody(t, server.port, maildir)).status, 0);
      const { sessions } = server;
      spoil(maildir);
      const { status, stderr } = await runAsNobody(t, server.port, maildir);
      t.equal(status, 100, stderr);
      t.match(stderr, join(maildir, what));
      t.match(stderr, /permission denied/);
      t.notMatch(stderr, /^ +at /m);
      t.equal(server.sessions, sessions, 'nobody was asked for anything');
    },
  );
}
