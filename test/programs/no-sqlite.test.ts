// The programs where npm ran no install scripts, so that better-sqlite3 has no binary: Node's own SQLite serves, or they say in
// one line what to type, and before a client comes.

import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { tryNodeEngine } from '../../src/system/sqlite/node-engine.js';
import { runCommand, startCommand, type Result } from '../support/programs/run-program.js';

const project = fileURLToPath(new URL('../../../', import.meta.url));
const hasOwnSqlite = tryNodeEngine() !== null;

/** An installation: the built programs, and every package but the one that has no binary. */
function install(t: Test): string {
  // Outside of the project, where the module loader would find its packages.
  const folder = mkdtempSync(join(tmpdir(), 'no-sqlite-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'pop3.run'), 'program %POP3D%\nargument pop3d\n');
  cpSync(join(project, 'build/src'), join(folder, 'build/src'), { recursive: true });
  cpSync(join(project, 'package.json'), join(folder, 'package.json'));
  mkdirSync(join(folder, 'node_modules'));
  for (const name of readdirSync(join(project, 'node_modules'))) {
    if (name === 'better-sqlite3') continue;
    symlinkSync(join(project, 'node_modules', name), join(folder, 'node_modules', name));
  }
  return folder;
}

const programIn = (folder: string, name: string): string =>
  join(folder, 'build/src/programs', `${name}.cjs`);

function run(
  t: Test,
  cwd: string,
  name: string,
  args: readonly string[],
  input: string,
): Promise<Result> {
  return runCommand(t, process.execPath, [programIn(cwd, name), ...args], { cwd, input });
}

const command =
  /^.*Node [0-9.]+ has no SQLite, .*: cd \S+ && npm install --no-save --foreground-scripts better-sqlite3 .*Node 22\.16 or later"?\n$/;

t.test('a session without better-sqlite3', async (t) => {
  const cwd = install(t);
  const added = await run(t, cwd, 'passdb', ['add', 'ann@example.org', '--scheme', 'PLAIN'], 'x\n');
  const session = await run(
    t,
    cwd,
    'pop3d',
    ['--failure-delay', '0'],
    'USER ann@example.org\r\nPASS x\r\nSTAT\r\nQUIT\r\n',
  );
  if (hasOwnSqlite) {
    t.match(added, { status: 0, stderr: '' });
    t.match(session.stdout.toString(), /^\+OK 0 0\r$/m);
    t.notMatch(session.stderr, /ExperimentalWarning/);
    return;
  }
  t.match(added, { status: 100, stderr: command });
  t.match(session, { status: 100, stderr: command });
  t.notMatch(session.stdout.toString(), /SYS/, 'no client is told of it at its login');
});

t.test(
  'tcpsrun says it when it starts',
  { skip: hasOwnSqlite && 'this Node has SQLite' },
  async (t) => {
    const cwd = install(t);
    const tcpsrun = startCommand(
      t,
      process.execPath,
      [programIn(cwd, 'tcpsrun'), '127.0.0.1', '0', 'pop3.run'],
      { cwd, env: { POP3D: programIn(cwd, 'pop3d') } },
    );
    const [line] = await tcpsrun.logLine(/warning .*/);
    t.match(`${line}\n`, command);
  },
);
