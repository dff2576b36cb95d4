// The npm package: what is in it, and that it serves when it is installed without install scripts, as npm 12 does by itself.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import { unlessInstalled } from '../support/peers/debian.js';
import { installGlobally, packNpmPackage } from '../support/programs/npm-package.js';
import { runCommand } from '../support/programs/run-program.js';
import { installNode } from '../support/suite/node-binaries.js';

/** A package in npm-shrinkwrap.json. */
interface Pinned {
  readonly dev?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

t.test(
  'npm install -g of the packed package',
  { skip: unlessInstalled('npm', 'tar') },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'npm-package-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const tarball = await packNpmPackage(t, folder);

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

    await runCommand(t, 'tar', ['-xzf', tarball, '-C', folder]);
    await t.test('every package that one of them depends on has its version', (t) => {
      const text = readFileSync(join(folder, 'package/npm-shrinkwrap.json'), 'utf8');
      const { packages } = JSON.parse(text) as { packages: Record<string, Pinned> };
      t.notOk(Object.values(packages).some(({ dev }) => dev === true));
      const floating = Object.entries(packages).flatMap(([path, pinned]) =>
        Object.keys({ ...pinned.dependencies, ...pinned.optionalDependencies })
          .filter((name) => !(`${path}/node_modules/${name}` in packages))
          .filter((name) => !(`node_modules/${name}` in packages))
          .map((name) => `${name} for ${path}`),
      );
      t.strictSame(floating, []);
      t.end();
    });

    await t.test('every module that one of them imports is there', (t) => {
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
      t.end();
    });

    await t.test('without install scripts it serves by the SQLite of Node', async (t) => {
      const node = installNode('22');
      const prefix = join(folder, 'prefix');
      const env = await installGlobally(t, tarball, { node, prefix });
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
