// Prints the packages of node_modules that the programs load, one a line: dependencies and theirs, without what only installs
// better-sqlite3.

import { existsSync, readFileSync } from 'node:fs';

const forInstallation = new Set(['prebuild-install']);

export function runtimePackages() {
  const found = new Set();
  const add = (name) => {
    if (found.has(name) || forInstallation.has(name)) return;
    const file = `node_modules/${name}/package.json`;
    if (!existsSync(file)) return; // Optional: for another system.
    found.add(name);
    const { dependencies, optionalDependencies } = JSON.parse(readFileSync(file, 'utf8'));
    for (const inner of Object.keys({ ...dependencies, ...optionalDependencies })) add(inner);
  };
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) add(name);
  return [...found].sort();
}

if (process.argv[1]?.endsWith('runtime-packages.js')) {
  process.stdout.write(`${runtimePackages().join('\n')}\n`);
}
