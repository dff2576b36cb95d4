// passdb as people and scripts run it: exit codes, what is printed, what is in the file afterwards.

import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SqliteFile } from '../support/accounts/sqlite-file.js';
import t, { type Test } from 'tap';
import { deadline } from '../support/suite/deadline.js';
import { unlessInstalled } from '../support/peers/debian.js';
import {
  builtProgram,
  runCommand,
  runProgram,
  startCommand,
} from '../support/programs/run-program.js';
import { testFolder } from '../support/suite/test-folder.js';

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function passdb(
  file: string,
  args: readonly string[],
  input: string | Buffer = '',
): Promise<Outcome> {
  const result = await runProgram(t, 'passdb', ['--passdb', file, ...args], { input });
  return { ...result, stdout: result.stdout.toString() };
}

function newFile(t: Test): string {
  return join(testFolder(t), 'passdb.sqlite');
}

t.test('add makes the database in the shape that Dovecot documents, mode 0640', async (t) => {
  const file = newFile(t);
  t.match(await passdb(file, ['add', 'Anna@Example.ORG.'], 'secret\n'), { status: 0, stderr: '' });
  t.equal(statSync(file).mode & 0o777, 0o640);
  const database = new SqliteFile(file);
  t.match(database.prepare('SELECT username, domain, password, active FROM users').all(), [
    { username: 'anna', domain: 'example.org', password: /^\{ARGON2ID\}\$argon2id\$/, active: 'Y' },
  ]);
  t.match(database.pragma('journal_mode'), [{ journal_mode: 'delete' }]);
  t.match(database.pragma('user_version'), [{ user_version: 0 }]);
  database.close();
});

t.test('check exits 0 for the password, 1 for another, with the reason on stderr', async (t) => {
  const file = newFile(t);
  await passdb(file, ['add', 'anna@example.org'], 'secret with spaces \r\n');
  t.match(await passdb(file, ['check', 'anna@example.org'], 'secret with spaces '), {
    status: 0,
    stdout: '',
    stderr: '',
  });
  t.match(await passdb(file, ['check', 'anna@example.org'], 'secret\n'), {
    status: 1,
    stderr: 'passdb: anna@example.org: wrong password\n',
  });
  t.match(await passdb(file, ['check', 'otto@example.org'], 'secret\n'), {
    status: 1,
    stderr: 'passdb: otto@example.org: unknown user\n',
  });
});

t.test('set replaces the password and keeps a disabled user disabled', async (t) => {
  const file = newFile(t);
  await passdb(file, ['add', 'anna@example.org'], 'old\n');
  t.equal((await passdb(file, ['disable', 'anna@example.org'])).status, 0);
  t.equal(
    (await passdb(file, ['set', 'anna@example.org', '--scheme', 'ssha256'], 'new\n')).status,
    0,
  );
  t.match(await passdb(file, ['check', 'anna@example.org'], 'new\n'), {
    status: 1,
    stderr: /disabled user/,
  });
  t.equal((await passdb(file, ['enable', 'anna@example.org'])).status, 0);
  t.equal((await passdb(file, ['check', 'anna@example.org'], 'new\n')).status, 0);
  t.equal((await passdb(file, ['check', 'anna@example.org'], 'old\n')).status, 1);
});

t.test('remove leaves neither the user nor the hash in the file', async (t) => {
  const file = newFile(t);
  await passdb(file, ['add', 'anna@example.org', '--scheme=PLAIN'], 'very-secret-words\n');
  t.equal((await passdb(file, ['remove', 'anna@example.org'])).status, 0);
  t.match(await passdb(file, ['list']), { status: 0, stdout: '' });
  t.notOk(readFileSync(file).includes('very-secret-words'));
});

t.test('list prints address, scheme and state, never a password', async (t) => {
  const file = newFile(t);
  await passdb(file, ['add', 'otto@example.org', '--scheme', 'PLAIN'], 'topsecret\n');
  await passdb(file, ['add', 'anna@example.org', '--scheme', 'SCRAM-SHA-256'], 'x\n');
  await passdb(file, ['disable', 'otto@example.org']);
  t.equal(
    (await passdb(file, ['list'])).stdout,
    'anna@example.org\tSCRAM-SHA-256\tactive\notto@example.org\tPLAIN\tdisabled\n',
  );
  t.equal((await passdb(file, ['list', 'anna@example.org'])).stdout.split('\n').length, 2);
  t.equal((await passdb(file, ['list', 'nobody@example.org'])).status, 1);
});

t.test('edits that find no such user, or one too many, exit 1 and say so', async (t) => {
  const file = newFile(t);
  await passdb(file, ['add', 'anna@example.org', '--scheme', 'PLAIN'], 'x\n');
  for (const command of ['set', 'remove', 'disable', 'enable']) {
    t.match(await passdb(file, [command, 'nobody@example.org'], 'x\n'), {
      status: 1,
      stderr: 'passdb: nobody@example.org: no such user\n',
    });
  }
  t.match(await passdb(file, ['add', 'anna@example.org'], 'x\n'), {
    status: 1,
    stderr: 'passdb: anna@example.org: exists already\n',
  });
});

t.test('schemes names every scheme of the contract, the default first', async (t) => {
  const lines = (await passdb(newFile(t), ['schemes'])).stdout.trimEnd().split('\n');
  t.equal(lines[0], 'ARGON2ID\tdefault');
  const names = lines.map((line) => line.split('\t')[0]);
  for (const name of [
    'BLF-CRYPT',
    'SHA512-CRYPT',
    'SHA256-CRYPT',
    'SSHA256',
    'PBKDF2',
    'SCRAM-SHA-256',
    'PLAIN',
  ]) {
    t.ok(names.includes(name), name);
  }
});

t.test('usage errors exit 100 with two lines that name what is wrong', async (t) => {
  const file = newFile(t);
  const rows: readonly (readonly [string[], RegExp])[] = [
    [[], /too few arguments/],
    [['frobnicate'], /no such command "frobnicate"/],
    [['constructor'], /no such command "constructor"/],
    [['add'], /add needs a user@domain/],
    [['add', 'anna'], /"anna" is not a user@domain/],
    [['add', 'anna@'], /"anna@" is not a user@domain/],
    [['add', 'anna@example.org', '--scheme', 'MD5'], /--scheme must be one of ARGON2ID, /],
    [['list', '--scheme', 'PLAIN'], /--scheme goes with add and set/],
    [['schemes', 'x@y'], /unexpected argument/],
  ];
  for (const [args, message] of rows) {
    const { status, stderr } = await passdb(file, args, 'x\n');
    t.equal(status, 100, args.join(' '));
    t.match(stderr, message);
    t.equal(stderr.split('\n').length, 3);
  }
  t.notOk(existsSync(file), 'a usage error makes no file');
});

t.test('passwords that cannot be stored exit 100 and change nothing', async (t) => {
  const file = newFile(t);
  const rows: readonly (readonly [string, string | Buffer, RegExp])[] = [
    ['ARGON2ID', '', /password is empty/],
    ['ARGON2ID', '\n', /password is empty/],
    ['ARGON2ID', 'a\0b\n', /contains a NUL/],
    ['ARGON2ID', 'x'.repeat(513), /at most 512 octets/],
    ['BLF-CRYPT', 'x'.repeat(73), /over 72 octets/],
    ['SCRAM-SHA-256', Buffer.from([0xff, 0x0a]), /SASLprep/],
  ];
  for (const [scheme, input, message] of rows) {
    const outcome = await passdb(file, ['add', 'anna@example.org', '--scheme', scheme], input);
    t.match(outcome, { status: 100, stderr: message });
    t.notMatch(outcome.stderr, /at .*\.js/, 'no stack trace');
  }
  t.equal((await passdb(file, ['list'])).stdout, '');
});

t.test('a locked database is waited for, and after 5 s is a temporary failure', async (t) => {
  const file = newFile(t);
  await passdb(file, ['add', 'anna@example.org', '--scheme', 'PLAIN'], 'x\n');
  const lock = new SqliteFile(file);
  lock.exec('BEGIN EXCLUSIVE');
  const started = performance.now();
  const outcome = await passdb(file, ['disable', 'anna@example.org']);
  t.match(outcome, { status: 111, stderr: /passdb\.sqlite is locked by another program/ });
  t.ok(performance.now() - started > 4500, 'waited');
  lock.exec('ROLLBACK');
  lock.close();
  t.equal((await passdb(file, ['disable', 'anna@example.org'])).status, 0);
});

t.test(
  'what is no password database is an error that names the file, and is left alone',
  async (t) => {
    const folder = testFolder(t);
    const noise = join(folder, 'noise');
    writeFileSync(
      noise,
      'this is no database, and it is long enough for SQLite to see that'.repeat(20),
    );
    mkdirSync(join(folder, 'directory'));
    const foreign = join(folder, 'foreign');
    new SqliteFile(foreign).exec('CREATE TABLE users (name TEXT)').close();
    for (const [name, message] of [
      ['missing', /no such password database/],
      ['noise', /is no SQLite database/],
      ['directory', /not a regular file/],
      ['foreign', /its table users has no column username/],
    ] as const) {
      for (const command of ['disable', 'set', 'check']) {
        const file = join(folder, name);
        const { status, stderr } = await passdb(file, [command, 'a@b'], 'x\n');
        t.equal(status, 100, `${command} ${name}`);
        t.match(stderr, message);
        t.ok(stderr.includes(file));
      }
    }
    t.notOk(existsSync(join(folder, 'missing')));
  },
);

t.test('ten edits at once all take place', async (t) => {
  const file = newFile(t);
  const outcomes = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      passdb(file, ['add', `user${index}@example.org`, '--scheme', 'SSHA256'], 'x\n'),
    ),
  );
  t.same(
    outcomes.map(({ status }) => status),
    Array(10).fill(0),
  );
  t.equal((await passdb(file, ['list'])).stdout.trimEnd().split('\n').length, 10);
});

/** Runs a shell command in which `$passdb` is the program. */
async function shell(file: string, command: string): Promise<Outcome> {
  const env = { PASSDB: file, passdb: `${process.execPath} ${builtProgram('passdb')}` };
  const result = await runCommand(t, 'sh', ['-c', command], { env });
  return { ...result, stdout: result.stdout.toString() };
}

t.test(
  'output that cannot be written is a temporary failure, a reader that left is none',
  async (t) => {
    const file = newFile(t);
    await passdb(file, ['add', 'anna@example.org', '--scheme', 'PLAIN'], 'x\n');
    const database = new SqliteFile(file);
    const insert = database.prepare("INSERT INTO users VALUES (?, 'example.org', '{PLAIN}x', 'Y')");
    database.inTransaction(() => {
      for (let index = 0; index < 10_000; index++) insert.run(`user${index}`);
    });
    database.close();
    t.match(await shell(file, '$passdb list > /dev/full'), {
      status: 111,
      stderr: /^passdb: temporary failure: standard output: .*\n/,
    });
    t.match(await shell(file, '{ $passdb list; echo $? >&2; } | head -n 1'), {
      stdout: 'anna@example.org\tPLAIN\tactive\n',
      stderr: '0\n',
    });
    t.match(await shell(file, '$passdb disable anna@example.org 2>&-'), { status: 0 });
  },
);

t.test('standard input that cannot be read is an error without a stack trace', async (t) => {
  const file = newFile(t);
  t.match(await shell(file, '$passdb add anna@example.org 0> "$PASSDB.write-only"'), {
    status: 100,
    stderr: /^passdb: fatal: standard input: EBADF.*\n$/,
  });
  t.match(await shell(file, '$passdb add anna@example.org <&-'), {
    status: 100,
    stderr: /password is empty/,
  });
});

/** Runs passdb on a pseudo-terminal; each answer is typed once its question has been printed. */
async function onTerminal(
  file: string,
  args: readonly string[],
  dialogue: readonly (readonly [question: string, answer: string])[],
): Promise<{ readonly status: number | null; readonly screen: string }> {
  const words = [process.execPath, builtProgram('passdb'), '--passdb', file, ...args];
  const command = words.map((word) => `'${word}'`).join(' ');
  const child = startCommand(t, 'script', ['-qec', command, '/dev/null']);
  const rest = [...dialogue];
  let screen = '';
  let seen = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString();
    const [question, answer] = rest[0] ?? [];
    if (question === undefined || answer === undefined) return;
    const at = screen.indexOf(question, seen);
    if (at === -1) return;
    seen = at + question.length;
    rest.shift();
    child.stdin.write(answer);
  });
  const { status } = await deadline(child.ending, 20_000, () => screen);
  return { status, screen };
}

t.test('on a terminal', { skip: unlessInstalled('script') }, (t) => {
  t.test('a new password is asked for twice and never shown', async (t) => {
    const file = newFile(t);
    const { status, screen } = await onTerminal(
      file,
      ['add', 'anna@example.org', '--scheme', 'SSHA256'],
      [
        ['New password: ', 'wrong\x15töx\x7f\x7fop sekret\r'],
        ['The same again: ', 'top sekret\r'],
      ],
    );
    t.equal(status, 0);
    t.notMatch(screen, /sekret/);
    t.equal((await passdb(file, ['check', 'anna@example.org'], 'top sekret\n')).status, 0);
  });

  t.test('two different answers change nothing', async (t) => {
    const file = newFile(t);
    const { status, screen } = await onTerminal(
      file,
      ['add', 'anna@example.org'],
      [
        ['New password: ', 'one\r'],
        ['The same again: ', 'two\r'],
      ],
    );
    t.equal(status, 100);
    t.match(screen, /the two passwords differ/);
    t.equal((await passdb(file, ['list'])).stdout, '');
  });

  t.test('Ctrl-C ends it with 111', async (t) => {
    const { status, screen } = await onTerminal(
      newFile(t),
      ['add', 'anna@example.org'],
      [['New password: ', 'half\x03']],
    );
    t.equal(status, 111);
    t.match(screen, /interrupted/);
  });

  t.test('check asks once', async (t) => {
    const file = newFile(t);
    await passdb(file, ['add', 'anna@example.org', '--scheme', 'PLAIN'], 'secret\n');
    const { status, screen } = await onTerminal(
      file,
      ['check', 'anna@example.org'],
      [['Password: ', 'secret\r']],
    );
    t.equal(status, 0);
    t.notMatch(screen, /secret/);
  });
  t.end();
});
