// Builds, unless the build is newer than everything that it is made from. Says so first: it takes half a minute.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const madeLast = 'build/src/programs/demonstration.cjs';
const madeFrom = ['package.json', 'package-lock.json', 'tsconfig.json', 'esbuild.config.js', 'src'];

function newestMs(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}

/** Ends the process where there can be no build. */
export function buildIfNeeded() {
  const builtMs = statSync(madeLast, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (madeFrom.every((path) => newestMs(path) < builtMs)) return;
  if (!existsSync('node_modules/typescript')) {
    process.stderr.write('The programs must be built, and the tools for it are missing: npm ci\n');
    process.exit(1);
  }
  process.stderr.write('Building the programs, which takes half a minute ...\n');
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], {
    stdio: ['ignore', 2, 'inherit'],
  });
  if (status === 0) return;
  process.stderr.write('The programs could not be built; can this folder be written?\n');
  process.exit(status ?? 1);
}

if (process.argv[1]?.endsWith('build-if-needed.js')) buildIfNeeded();
