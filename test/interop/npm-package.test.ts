// The npm package: what is in it, and that it serves when it is installed without install scripts, as npm 12 does by itself.

import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { unlessInstalled } from '../support/peers/debian.js';
import { runCommand, startCommand } from '../support/programs/run-program.js';
import { installNode } from '../support/suite/node-binaries.js';

const project = fileURLToPath(new URL('../../../', import.meta.url));

/** A registry that is slow is none that is gone. */
const patienceMs = 240_000;

t.test(
  'npm install -g of the packed package',
  { skip: unlessInstalled('npm', 'tar') },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'npm-package-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const packed = await startCommand(
      t,
      'flock',
      [join(project, 'build'), 'npm', 'pack', '--silent', '--pack-destination', folder],
      { cwd: project },
    ).finish('', patienceMs);
    t.equal(packed.status, 0, packed.stderr);
    const tarball = join(folder, packed.stdout.toString().trim().split('\n').at(-1) ?? '');

    await t.test('it holds programs, pages and services, and nothing to build them', async (t) => {
      const { stdout } = await runCommand(t, 'tar', ['-tzf', tarball]);
      const files = stdout.toString().split('\n');
      for (const file of ['build/src/programs/pop3d.cjs', 'doc/pop3d.8', 'npm-shrinkwrap.json']) {
        t.ok(files.includes(`package/${file}`), file);
      }
      t.strictSame(
        files.filter((file) => /\.(?:map|ts)$|\/(?:test|bench)\//.test(file)),
        [],
      );
    });

    await t.test('every module that one of them imports is there', async (t) => {
      await runCommand(t, 'tar', ['-xzf', tarball, '-C', folder]);
      const build = join(folder, 'package/build');
      const files = readdirSync(build, { recursive: true, encoding: 'utf8' });
      const imports = files
        .filter((file) => /\.c?js$/.test(file))
        .flatMap((file) =>
          [
            ...readFileSync(join(build, file), 'utf8').matchAll(
              /(?:from |import\(|require\()["'](\.[^"']+)["']/g,
            ),
          ].map(([, path = '']) => ({ file, path })),
        );
      t.ok(imports.length > 100, `${imports.length} imports`);
      t.strictSame(
        imports.filter(({ file, path }) => !existsSync(join(build, dirname(file), path))),
        [],
      );
    });

    await t.test('without install scripts it serves by the SQLite of Node', async (t) => {
      const node = installNode('22');
      const npm = realpathSync((await runCommand(t, 'which', ['npm'])).stdout.toString().trim());
      const prefix = join(folder, 'prefix');
      const env = {
        PATH: [dirname(node), join(prefix, 'bin'), process.env['PATH']].join(delimiter),
      };
      const options = ['--prefix', prefix, '--ignore-scripts', '--no-audit', '--no-fund'];
      // With the environment of the tests: it says where the registry is, and the way to it.
      await promisify(execFile)(node, [npm, 'install', '-g', ...options, tarball], {
        cwd: folder,
        env: { ...process.env, ...env, NODE_OPTIONS: '' },
        timeout: patienceMs,
      });
      const run = (command: string, input: string): ReturnType<typeof runCommand> =>
        runCommand(t, 'sh', ['-c', command], { cwd: folder, env, input });
      t.match(await run('passdb add ann@example.org', 'x\n'), { status: 0, stderr: '' });
      const session = await run('pop3d', 'USER ann@example.org\r\nPASS x\r\nSTAT\r\nQUIT\r\n');
      t.match(session.stdout.toString(), /^\+OK 0 0\r$/m);
      for (const name of ['tcpsrun', 'tcprule', 'pop3get', 'runsvc', 'pop3record', 'pop3ctl']) {
        t.match(await run(`${name} --version`, ''), { status: 0, stderr: '' });
      }
    });
  },
);
