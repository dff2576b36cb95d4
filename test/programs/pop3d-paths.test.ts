// No path from a peer or a Maildir leads out of the user's INBOX: every path that pop3d hands to the system, by strace(1).

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, normalize, resolve } from 'node:path';
import { SqliteFile } from '../support/accounts/sqlite-file.js';
import t, { type Test } from 'tap';
import { MaildirFixture } from '../support/mail/maildir-fixture.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { tracePaths, unlessTraceable, type PathTrace } from '../support/suite/path-trace.js';
import { builtProgram } from '../support/programs/run-program.js';

const skip = unlessTraceable();
const password = 'open sesame';
const session = 'STAT\r\nUIDL\r\nLIST\r\nRETR 1\r\nTOP 2 0\r\nDELE 1\r\nQUIT\r\n';

/** The checkout: pop3d's own files, and its packages'. */
const checkout = resolve(dirname(builtProgram('pop3d')), '../../..');

/** Absolute paths that are looked at before a login: the runtime, the C library, our own code. */
const beforeLogin = [
  checkout,
  dirname(process.execPath),
  ...['/lib', '/lib64', '/usr/lib', '/usr/local/lib', '/usr/share/zoneinfo', '/etc/ld.so.'],
  ...['/etc/ssl', '/usr/local/ssl', '/usr/lib/ssl', '/etc/localtime', '/etc/nsswitch.conf'],
  // Processors, memory limits, and the standard descriptors.
  ...['/proc/self', '/proc/meminfo', '/proc/cpuinfo', '/proc/stat', '/proc/version_signature'],
  ...[
    '/sys/fs/cgroup',
    '/sys/devices/system/cpu',
    '/sys/kernel/mm',
    '/proc/sys/vm',
    '/dev/null',
    '/dev/urandom',
  ],
];

/** And after it: where the heap's growth asks for limits of memory, nothing else. */
const afterLogin = [
  ...['/proc/self', '/proc/meminfo', '/sys/fs/cgroup', '/proc/sys/vm'],
  // Node 24 and later ask how fast the processor's clock is: tsc_freq_khz.
  '/sys/devices/system/cpu',
];

/** SQLite's: the database and its journals, as absolute paths too. */
function isDatabase(cwd: string, path: string): boolean {
  const database = join(cwd, 'passdb.sqlite');
  return ['', '-journal', '-wal', '-shm'].some((end) => resolve(cwd, path) === `${database}${end}`);
}

/** The paths of a trace that are neither on the lists, nor the mail root, nor in `allowed` or an INBOX of these. */
function strayPaths(cwd: string, trace: PathTrace, allowed: readonly string[]): string[] {
  const stray = (paths: PathTrace['afterLogin'], lists: readonly string[]): string[] =>
    paths
      .filter(({ path }) => !isDatabase(cwd, path))
      .filter(({ path }) => {
        if (path.split('/').includes('..')) return true;
        if (path.startsWith('/')) {
          // SQLite and Node look at each directory above a file of theirs.
          const isAbove = (of: string): boolean => `${of}/`.startsWith(normalize(`${path}/`));
          return (
            !lists.some((prefix) => path.startsWith(prefix)) && !isAbove(cwd) && !isAbove(checkout)
          );
        }
        return (
          path !== '.' &&
          // Who owns the directories on the way decides whose rights it takes.
          !allowed.some((within) => `${within}/`.startsWith(`${path}/`)) &&
          !allowed.some((within) => path.startsWith(`${within}/INBOX`))
        );
      })
      .map(({ call, path }) => `${call} ${path}`);
  return [...stray(trace.beforeLogin, beforeLogin), ...stray(trace.afterLogin, afterLogin)];
}

function makeMailRoot(t: Test): string {
  const cwd = mkdtempSync(join(tmpdir(), 'pop3d-paths-'));
  t.teardown(() => {
    rmSync(cwd, { recursive: true, force: true });
  });
  makePasswordDatabase(join(cwd, 'passdb.sqlite'), { 'ann@example.org': password });
  new MaildirFixture(join(cwd, 'example.org/ann/INBOX')).add('Subject: x\n\nx\n');
  return cwd;
}

/** Adds a row as it stands, which passdb would refuse. */
function addRow(cwd: string, user: string, domain: string): void {
  const database = new SqliteFile(join(cwd, 'passdb.sqlite'));
  database
    .prepare('INSERT INTO users(username, domain, password) VALUES (?, ?, ?)')
    .run(user, domain, `{PLAIN}${password}`);
  database.close();
}

/** Names as sent, latin1, that no maildrop has. */
const refused = [
  '../../etc@x',
  'a/../b@x',
  '/etc/passwd',
  '..@x',
  '.@x',
  'a@..',
  'a@../b',
  'a@/',
  '../example.org/ann@example.org',
  'ann@example.org/ann/INBOX/../..',
  'a%00b@x',
  'a\\b@x',
  'a@@ex.com',
  '@example.org',
  'ann@',
  'ann',
  'ann+tag@example.org',
  `${'a'.repeat(256)}@x`,
  `a@${'x'.repeat(200)}`,
  "ann' OR 1=1--@example.org",
  'ann";@example.org',
  '%@example.org',
  'an_@example.org',
  '*@example.org',
  '%u%d%{home}@x',
  '\xff\xfe@example.org',
  'ann@example.org\x7f',
  '~@x',
  '$HOME@x',
];

t.test('names that no maildrop has touch nothing of the mail', { skip }, async (t) => {
  const cwd = makeMailRoot(t);
  for (const name of refused) {
    const script = `USER ${name}\r\nPASS ${password}\r\nQUIT\r\n`;
    const trace = await tracePaths(t, cwd, script, ['--failure-delay', '0']);
    t.match(trace.replies, /^-ERR \[AUTH\]/m, `${JSON.stringify(name)} is refused`);
    t.same(strayPaths(cwd, trace, []), [], 'and no path is made of it');
  }
});

/** Names of rows that somebody put into the database, and the directories that stand for them. */
const hostileRows = [
  { user: '../../etc', domain: 'x', directory: 'x/%2E.%2F..%2Fetc' },
  { user: '..', domain: '.x', directory: '%2Ex/%2E.' },
  { user: '.', domain: 'x', directory: 'x/%2E' },
  { user: 'a/../b', domain: 'x', directory: 'x/a%2F..%2Fb' },
  { user: 'a', domain: '/etc', directory: '%2Fetc/a' },
  { user: '%2e%2e', domain: 'x', directory: 'x/%252e%252e' },
  { user: 'a\\b', domain: 'x', directory: 'x/a\\b' },
  { user: '~', domain: 'x', directory: 'x/~' },
] as const;

t.test(
  'rows with hostile names lead to encoded directories of the mail root',
  { skip },
  async (t) => {
    const cwd = makeMailRoot(t);
    for (const { user, domain, directory } of hostileRows) {
      addRow(cwd, user, domain);
      new MaildirFixture(join(cwd, directory, 'INBOX')).add('Subject: x\n\nx\n');
      const login = `USER ${user}@${domain}\r\nPASS ${password}\r\n`;
      const trace = await tracePaths(t, cwd, `${login}${session}`);
      t.match(trace.log, 'pop3d: login ', `${user}@${domain} logs in`);
      t.same(strayPaths(cwd, trace, [directory]), []);
      t.ok(
        trace.afterLogin.some(({ path }) => path.startsWith(`${directory}/INBOX/new/`)),
        'the trace has what the session did',
      );
    }
  },
);

t.test(
  'a user without a directory: nothing is made, nothing outside is read',
  { skip },
  async (t) => {
    const cwd = makeMailRoot(t);
    addRow(cwd, 'bob', 'nowhere.example');
    const before = readdirSync(cwd);
    const trace = await tracePaths(
      t,
      cwd,
      `USER bob@nowhere.example\r\nPASS ${password}\r\nSTAT\r\nQUIT\r\n`,
    );
    t.match(trace.replies, /^\+OK 0 0\r$/m);
    // Started as root it looks for the owner of the nearest directory that is there.
    // Whether the mail root is a mount point tells from the directory above it.
    const allowed = ['nowhere.example', 'nowhere.example/bob'];
    t.same(strayPaths(cwd, trace, allowed), ['statx ./..']);
    t.same(readdirSync(cwd), before);
  },
);

/** Puts what is no message, leads elsewhere or has an odd name into a Maildir. @returns names that nobody may open */
async function fillWithTraps(t: Test, inbox: string): Promise<string[]> {
  const links: Readonly<Record<string, string>> = {
    'link-file': '/etc/passwd',
    'link-shadow': '/etc/shadow',
    'link-dir': '/etc',
    'link-zero': '/dev/zero',
    'link-dangling': '/nonexistent',
    'link-loop': 'link-loop',
    'link-up': '../../../../passdb.sqlite',
  };
  for (const folder of ['new', 'cur']) {
    for (const [name, target] of Object.entries(links))
      symlinkSync(target, join(inbox, folder, name));
    mkdirSync(join(inbox, folder, 'directory'));
    spawnSync('mkfifo', [join(inbox, folder, 'fifo')]);
    writeFileSync(join(inbox, folder, '.hidden'), 'x\n');
    const server = createServer();
    await new Promise<void>((done) => server.listen(join(inbox, folder, 'socket'), done));
    t.teardown(() => server.close());
  }
  return [...Object.keys(links), 'directory', 'fifo', '.hidden', 'socket'];
}

for (const args of [[], ['--uidl', 'dovecot', '--mark-seen', '--log-messages']] as const) {
  t.test(
    `a Maildir full of traps, pop3d ${args.join(' ')}: none is opened`,
    { skip },
    async (t) => {
      const cwd = makeMailRoot(t);
      const inbox = new MaildirFixture(join(cwd, 'example.org/ann/INBOX'));
      const traps = await fillWithTraps(t, inbox.path);
      for (const name of ['\xff\xfe', '-rf', 'a\nb', 'a b', ':2,S', '..hidden', 'n'.repeat(251)]) {
        inbox.add('Subject: y\n\ny\n', { folder: 'cur', name });
      }
      for (let count = 0; count < 12; count += 1) inbox.add(`Subject: ${count}\n\n${count}\n`);
      for (const name of ['pop3d.octets', 'courierpop3dsizelist']) {
        symlinkSync('/etc/passwd', join(inbox.path, name));
      }
      writeFileSync(join(inbox.path, 'dovecot-uidlist'), '3 V1 N1\n');
      const login = `USER ann@example.org\r\nPASS ${password}\r\n`;
      const trace = await tracePaths(t, cwd, `${login}${session}`, args);
      t.match(trace.replies, /^\+OK 19 /m, 'all regular files are messages');
      t.same(strayPaths(cwd, trace, ['example.org/ann']), []);
      const opened = [...trace.beforeLogin, ...trace.afterLogin].filter(
        ({ call, path }) =>
          call.startsWith('open') && /\/(?:new|cur)\/./.test(path) && !path.startsWith(checkout),
      );
      t.ok(opened.length > 0);
      t.same(
        opened.filter(({ path }) => traps.includes(path.slice(path.lastIndexOf('/') + 1))),
        [],
        'no trap is opened',
      );
      t.same(
        opened.filter(({ rest }) => !rest.includes('O_NOFOLLOW')),
        [],
        'and no message so that a link would be followed',
      );
    },
  );
}

t.test('a tmp that is a link is not written through', { skip }, async (t) => {
  const cwd = makeMailRoot(t);
  const inbox = join(cwd, 'example.org/ann/INBOX');
  mkdirSync(join(cwd, 'elsewhere'));
  rmSync(join(inbox, 'tmp'), { recursive: true });
  symlinkSync(join(cwd, 'elsewhere'), join(inbox, 'tmp'));
  const login = `USER ann@example.org\r\nPASS ${password}\r\n`;
  const trace = await tracePaths(t, cwd, `${login}LIST\r\nQUIT\r\n`);
  t.match(trace.log, 'octets-not-remembered');
  t.same(
    trace.afterLogin.filter(({ path }) => path.includes('INBOX/tmp/')),
    [],
  );
});
