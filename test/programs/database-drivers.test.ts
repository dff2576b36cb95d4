// The packages for database servers: read when a source names them, and missed in one line.

import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { runCommand, runProgram } from '../support/programs/run-program.js';
import { testFolder } from '../support/suite/test-folder.js';
import { tracePaths, unlessTraceable } from '../support/suite/path-trace.js';

const script = 'USER ann@example.org\r\nPASS secret\r\nQUIT\r\n';
const driver = /node_modules\/(?:pg|mysql2)\//;

t.test(
  'a session with SQLite reads neither pg nor mysql2; one with PostgreSQL reads pg only',
  { skip: unlessTraceable() },
  async (t) => {
    const folder = testFolder(t);
    makePasswordDatabase(join(folder, 'passdb.sqlite'), { 'ann@example.org': 'secret' });
    const read = async (...args: readonly string[]): Promise<readonly string[]> => {
      const trace = await tracePaths(t, folder, script, args);
      return [...trace.beforeLogin, ...trace.afterLogin]
        .filter(({ call, path }) => call.startsWith('open') && driver.test(path))
        .map(({ path }) => path.replace(/.*node_modules\/(\w+)\/.*/, '$1'));
    };
    t.same(await read(), []);
    const uri = `postgresql:///mail?host=${folder}&user=nobody`;
    t.same([...new Set(await read('--passdb', uri))], ['pg']);
  },
);

t.test('what is missing or wrong about a source is one line at the start', async (t) => {
  // A copy without node_modules/pg beside it.
  const copy = mkdtempSync(join(tmpdir(), 'no-drivers-'));
  t.teardown(() => {
    rmSync(copy, { recursive: true, force: true });
  });
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  cpSync(join(root, 'build/src'), join(copy, 'build/src'), { recursive: true });
  cpSync(join(root, 'package.json'), join(copy, 'package.json'));
  for (const name of ['minimist', 'lru-cache', '@mongodb-js', '@node-rs', 'better-sqlite3']) {
    cpSync(join(root, 'node_modules', name), join(copy, 'node_modules', name), {
      recursive: true,
    });
  }
  symlinkSync(join(root, 'src'), join(copy, 'src'));
  const missing = await runCommand(
    t,
    process.execPath,
    [
      join(copy, 'build/src/programs/pop3d.cjs'),
      ...['--passdb', 'postgresql://ann:hidden@db.example/mail'],
    ],
    { input: 'QUIT\r\n' },
  );
  t.equal(missing.status, 100);
  t.match(missing.stderr, /^pop3d: .*package pg is not installed: npm install pg/m);
  t.notMatch(missing.stderr, /hidden/);

  for (const [args, message] of [
    [['--passdb', 'postgresql://ann:hidden@db.example/mail?sslmod=x'], /parameter sslmod/],
    [['--passdb', 'mysql://ann:hidden@db.example'], /names no database/],
    [
      ['--passdb', 'mysql://ann:hidden@db.example/mail', '--passdb-query', 'SELECT :usr'],
      /has :usr in it/,
    ],
    [['--passdb', 'dovecot:'], /names no file/],
    [['--passdb', 'dovecot:/run/dovecot', '--passdb-query', 'SELECT 1'], /goes with an SQL source/],
  ] as const) {
    const { status, stderr } = await runProgram(t, 'pop3d', args, { input: 'QUIT\r\n' });
    t.equal(status, 100, args.join(' '));
    t.match(stderr, message);
    t.notMatch(stderr, /hidden/);
  }
});
