// The npm package, packed and installed as people do it.

import { execFile } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { runCommand, startCommand } from './run-program.js';

const project = fileURLToPath(new URL('../../../../', import.meta.url));

/** A registry that is slow is none that is gone. */
const patienceMs = 240_000;

/** @returns the path of the package, in `folder` */
export async function packNpmPackage(t: Test, folder: string): Promise<string> {
  const words = [join(project, 'build'), 'npm', 'pack', '--silent', '--pack-destination', folder];
  const packing = startCommand(t, 'flock', words, { cwd: project });
  const { status, stdout, stderr } = await packing.finish('', patienceMs);
  t.equal(status, 0, stderr);
  return join(folder, stdout.toString().trim().split('\n').at(-1) ?? '');
}

/**
 * `npm install -g` on some Node, without install scripts, as npm 12 does by itself.
 *
 * @returns an environment in which the programs are found
 */
export async function installGlobally(
  t: Test,
  tarball: string,
  { node, prefix }: { readonly node: string; readonly prefix: string },
): Promise<Record<string, string>> {
  const npm = realpathSync((await runCommand(t, 'which', ['npm'])).stdout.toString().trim());
  const env = { PATH: [dirname(node), join(prefix, 'bin'), process.env['PATH']].join(delimiter) };
  const options = ['--prefix', prefix, '--ignore-scripts', '--no-audit', '--no-fund'];
  // With the environment of the tests: it says where the registry is, and the way to it.
  await promisify(execFile)(node, [npm, 'install', '-g', ...options, tarball], {
    cwd: dirname(tarball),
    env: { ...process.env, ...env, NODE_OPTIONS: '' },
    timeout: patienceMs,
  });
  return env;
}
