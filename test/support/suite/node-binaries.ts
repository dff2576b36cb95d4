// Other versions of Node, from npm, in a cache outside of the project.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A folder that outlives the tests, for what takes long to get. */
export function cacheFolder(name: string): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'pop3-suite', name);
}

/** @param version such as 22 @returns the path of the binary */
export function installNode(version: string): string {
  const folder = cacheFolder(`node-${version}`);
  const name = `node-linux-${process.arch}`;
  const path = join(folder, 'node_modules', name, 'bin/node');
  if (existsSync(path)) return path;
  // In a folder of this process's, since test files run side by side.
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  writeFileSync(join(unfinished, 'package.json'), '{ "private": true }\n');
  const options = ['--prefix', unfinished, '--no-audit', '--no-fund', '--ignore-scripts'];
  // Not on stdout, where a test's results go.
  const stdio = ['ignore', 'ignore', 'inherit'] as const;
  execFileSync('npm', ['install', ...options, `${name}@${version}`], { stdio: [...stdio] });
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true });
    if (!existsSync(path)) throw error;
  }
  return path;
}
