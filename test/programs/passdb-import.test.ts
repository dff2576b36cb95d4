// Users into a password database and out of it, in the files that other programs keep.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { SqliteFile } from '../support/accounts/sqlite-file.js';
import { runProgram, startProgram } from '../support/programs/run-program.js';
import { testFolder } from '../support/suite/test-folder.js';

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Site {
  readonly folder: string;
  readonly passdb: (...args: readonly string[]) => Promise<Outcome>;
  /** Writes the lines to a file and imports it. */
  readonly importing: (lines: readonly string[], ...args: readonly string[]) => Promise<Outcome>;
}

/** A hundred thousand users take a slow machine long. */
const patienceMs = 120_000;

function makeSite(t: Test, name = 'passdb.sqlite'): Site {
  const folder = testFolder(t);
  const passdb = async (...args: readonly string[]): Promise<Outcome> => {
    const program = startProgram(t, 'passdb', ['--passdb', join(folder, name), ...args]);
    const result = await program.finish('', patienceMs);
    return { ...result, stdout: result.stdout.toString() };
  };
  const importing = (lines: readonly string[], ...args: readonly string[]): Promise<Outcome> => {
    writeFileSync(join(folder, 'users'), `${lines.join('\n')}\n`);
    return passdb('import', join(folder, 'users'), ...args);
  };
  return { folder, passdb, importing };
}

const hash = `$6$salt$${'a'.repeat(86)}`;

t.test('a passwd-file of Dovecot is imported, and exported as it was', async (t) => {
  const { passdb, importing } = makeSite(t);
  const lines = [
    '# users',
    `Ann@Example.org:${hash}:1000:1000::/home/ann::userdb_mail=maildir:~/Maildir`,
    '',
    'bob@example.org:{PLAIN}pass word',
    `carl@example.org:!${hash}:::`,
  ];
  t.match(await importing(lines), { status: 0, stdout: '', stderr: '' });
  t.equal(
    (await passdb('list')).stdout,
    'ann@example.org\tCRYPT\tactive\nbob@example.org\tPLAIN\tactive\ncarl@example.org\tCRYPT\tdisabled\n',
  );
  t.equal(
    (await passdb('export')).stdout,
    `ann@example.org:${hash}\nbob@example.org:{PLAIN}pass word\ncarl@example.org:!${hash}\n`,
  );
});

t.test('shadow(5) is imported with a domain; daemons have no password', async (t) => {
  const { passdb, importing } = makeSite(t);
  const lines = ['root:*:19000:0:99999:7:::', 'mail:!!:1::', `ann:${hash}:19000:0:99999:7:::`];
  t.match(await importing(lines, '--default-domain', 'Example.org.'), {
    status: 0,
    stderr: 'passdb: left out 2 users without a password\n',
  });
  t.equal((await passdb('list')).stdout, 'ann@example.org\tCRYPT\tactive\n');
  t.equal((await passdb('export', '--format', 'shadow')).stdout, `ann:${hash}:::::::\n`);
  t.match(await importing(lines), { status: 1, stderr: /users:3: "ann" is not a user@domain/ });
});

t.test('accounts that had expired in shadow(5) were imported as active', async (t) => {
  const { passdb, importing } = makeSite(t);
  const days = Math.floor(Date.now() / 86_400_000);
  const lines = [
    `ann:${hash}:19000:0:99999:7:::`,
    `bob:${hash}:19000:0:99999:7::${days - 1}:`,
    `carl:${hash}:19000:0:99999:7::${days + 100}:`,
  ];
  t.match(await importing(lines, '--default-domain', 'example.org'), {
    status: 0,
    stderr:
      'passdb: disabled 1 users whose account has expired\n' +
      'passdb: an expiry that is still to come is not kept: line 3\n',
  });
  t.match((await passdb('list')).stdout, /^ann.*active\nbob.*disabled\ncarl.*active\n$/);
});

t.test('passwords that were not UTF-8 became U+FFFD', async (t) => {
  const { folder, passdb } = makeSite(t);
  const importing = async (text: string, ...args: readonly string[]): Promise<Outcome> => {
    writeFileSync(join(folder, 'users'), Buffer.from(text, 'latin1'));
    return passdb('import', join(folder, 'users'), ...args);
  };
  const check = async (password: string): Promise<number | null> => {
    const args = ['--passdb', join(folder, 'passdb.sqlite'), 'check', 'ann@example.org'];
    const input = Buffer.from(`${password}\n`, 'latin1');
    return (await runProgram(t, 'passdb', args, { input })).status;
  };
  const replacement = Buffer.from('p\ufffdss').toString('latin1');
  for (const [line, ...args] of [
    ['ann@example.org:{plain}p\xe4ss\n'],
    ['ann@example.org,p\xe4ss\n', '--scheme', 'SSHA256'],
    ['ann@example.org,p\xe4ss\n', '--scheme', 'PLAIN'],
  ] as const) {
    t.match(await importing(line, '--replace', ...args), { status: 0, stderr: '' });
    t.equal(await check('p\xe4ss'), 0);
    t.equal(await check(replacement), 1);
  }
  t.equal((await passdb('export')).stdout, 'ann@example.org:{PLAIN.b64}cORzcw==\n');
  t.match(await importing('bob@example.org:{PLAIN}b\ncarl@example.org:{SSHA256}\xe4\n'), {
    status: 1,
    stderr: /users:2: its password is not UTF-8\npassdb: nothing was imported\n$/,
  });
  const database = new SqliteFile(join(folder, 'passdb.sqlite'));
  database.exec("UPDATE users SET password = CAST(x'7b504c41494e7d70e47373' AS TEXT)");
  database.close();
  t.equal(await check(replacement), 100, 'another program wrote octets that are no text');
  t.match(await passdb('export'), { status: 100, stderr: /ann@example\.org: .* is not UTF-8/ });
});

t.test('CSV has what its header says, or address and password', async (t) => {
  const { passdb, importing } = makeSite(t);
  t.match(
    await importing([
      '\ufeffPassword,quota,Email,Active\r',
      '"{PLAIN}a,""b",1G,ann@example.org,0\r',
    ]),
    { status: 0, stderr: '' },
  );
  t.match(await importing(['bob@example.org,{PLAIN}b']), { status: 0 });
  t.match(await importing(['user,domain,password', 'carl,example.org,{PLAIN}c']), { status: 0 });
  const exported =
    'username,domain,password,active\nann,example.org,"{PLAIN}a,""b",N\nbob,example.org,{PLAIN}b,Y\ncarl,example.org,{PLAIN}c,Y\n';
  t.equal((await passdb('export', '--format', 'csv')).stdout, exported);
  const again = makeSite(t, 'other.sqlite');
  t.equal((await again.importing(exported.trimEnd().split('\n'))).status, 0);
  t.equal((await again.passdb('export', '--format=csv')).stdout, exported, 'and back');
});

t.test('each wrong line is named, and nothing is imported', async (t) => {
  const { folder, passdb, importing } = makeSite(t);
  const lines = [
    `ann@example.org:${hash}`,
    'no colon',
    'bob:{PLAIN}x',
    'carl@example.org:{MD4}x',
    'dan@example.org:x:1000',
    'eve@example.org:',
    `ANN@example.org:${hash}`,
    `fay@example.org:${hash}::::::allow_nets=192.0.2.0/24`,
    ` gil@example.org:${hash}`,
  ];
  const { status, stderr } = await importing(lines);
  t.equal(status, 1);
  const users = join(folder, 'users');
  t.strictSame(stderr.split('\n'), [
    `passdb: ${users}:2: there is no colon in it`,
    `passdb: ${users}:3: "bob" is not a user@domain; --default-domain gives names a domain`,
    `passdb: ${users}:4: password scheme MD4 is not supported`,
    `passdb: ${users}:5: its password is in another file, shadow(5)`,
    `passdb: ${users}:6: crypt(3) password of type DES or none is not supported`,
    `passdb: ${users}:7: ann@example.org is on line 1 already`,
    `passdb: ${users}:8: "allow_nets" cannot be kept for a user`,
    `passdb: ${users}:9: there are blanks at an end of a name`,
    'passdb: nothing was imported',
    '',
  ]);
  t.notOk(existsSync(join(folder, 'passdb.sqlite')), 'no database was made');
  for (const [record, why] of [
    ['user,domain,password\n"ann,example.org,x', /a quote that does not end/],
    ['address,password,networks\nann@example.org,{PLAIN}x,::1', /column "networks" cannot be kept/],
    ['address,password,active\nann@example.org,{PLAIN}x,perhaps', /neither Y nor N/],
    ['address,password\nann@example.org', /too few fields/],
  ] as const) {
    t.match(await importing([record]), { status: 1, stderr: why });
  }
  t.match(await passdb('import', join(folder, 'none')), {
    status: 100,
    stderr: /none: no such file/,
  });
  t.match(await passdb('import'), { status: 100, stderr: /import needs a file/ });
});

t.test('users who are there are named, or get the new password with --replace', async (t) => {
  const { passdb, importing } = makeSite(t);
  t.equal((await importing(['ann@example.org:{PLAIN}old'])).status, 0);
  const lines = ['bob@example.org:{PLAIN}new', 'ann@example.org:!{PLAIN}new'];
  t.match(await importing(lines), {
    status: 1,
    stderr: /users:2: ann@example\.org exists already; --replace .*\n.*nothing was imported/,
  });
  t.equal((await passdb('export')).stdout, 'ann@example.org:{PLAIN}old\n');
  t.equal((await importing(lines, '--replace')).status, 0);
  t.equal(
    (await passdb('export')).stdout,
    'ann@example.org:!{PLAIN}new\nbob@example.org:{PLAIN}new\n',
  );
});

t.test('passwords in clear are hashed where a scheme is named', async (t) => {
  const { passdb, importing } = makeSite(t);
  const lines = Array.from({ length: 5 }, (_, index) => `u${index}@example.org,caf\u00e9 ${index}`);
  t.match(await importing(lines, '--scheme', 'SSHA256'), { status: 0, stderr: '' });
  const { stdout } = await passdb('list');
  t.equal(stdout.match(/\tSSHA256\tactive\n/g)?.length, 5);
  t.match(await importing(['v@example.org,'], '--scheme', 'SSHA256'), {
    status: 1,
    stderr: /users:1: the password is empty/,
  });
});

t.test('a hundred thousand users are imported in one command', async (t) => {
  const { folder, importing } = makeSite(t);
  const lines = Array.from({ length: 100_000 }, (_, index) => `user${index}@example.org:${hash}`);
  t.match(await importing(lines), { status: 0, stderr: '' });
  const database = new SqliteFile(join(folder, 'passdb.sqlite'));
  t.match(database.prepare('SELECT count(*) AS count FROM users').all(), [{ count: 100_000 }]);
  database.close();
});

t.test('what a format cannot hold is said, and another one named', async (t) => {
  const { passdb, importing } = makeSite(t);
  await importing(['"a:b@example.org",{PLAIN}x'], '--format', 'csv');
  t.match(await passdb('export'), {
    status: 100,
    stdout: '',
    stderr: /a:b@example\.org: there is a colon in its name; use --format csv/,
  });
  t.match(await passdb('export', '--format', 'shadow'), { status: 100, stderr: /colon/ });
  t.equal((await passdb('export', '--default-domain', 'example.net')).stdout, '');
  const colon = makeSite(t, 'colon.sqlite');
  await colon.importing(['"ann@example.org","{PLAIN}a:b"']);
  t.equal((await colon.passdb('export')).stdout, 'ann@example.org:{PLAIN.b64}YTpi\n');
});

t.test("a database that is not passdb's is refused, and stays as it is", async (t) => {
  const folder = testFolder(t);
  const file = join(folder, 'mail.sqlite');
  const database = new SqliteFile(file);
  database.exec('CREATE TABLE mailbox (username TEXT, password TEXT)');
  database.close();
  const before = readFileSync(file);
  const users = join(folder, 'users');
  writeFileSync(users, 'ann@example.org:{PLAIN}x\n');
  for (const args of [
    ['list'],
    ['add', 'ann@example.org'],
    ['check', 'ann@example.org'],
    ['app', 'list'],
    ['app', 'add', 'ann@example.org'],
    ['import', users],
    ['export'],
  ]) {
    const result = await runProgram(t, 'passdb', ['--passdb', file, ...args], { input: 'x\n' });
    t.equal(result.status, 100, args.join(' '));
    t.match(result.stderr, /mail\.sqlite is no passdb database: it has no table users/);
  }
  t.same(readFileSync(file), before);
  const text = await runProgram(t, 'passdb', ['--passdb', users, 'list']);
  t.match(text, { status: 100, stderr: /is no SQLite database but a text, such as a passwd-file/ });
});
