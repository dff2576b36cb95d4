// Before `npm pack`: builds, so that a package always has its programs, and pins every dependency as package-lock.json has it:
// npm-shrinkwrap.json is what global installations go by. services/packaging/postpack.js removes it.

import { readFileSync, writeFileSync } from 'node:fs';
import { buildIfNeeded } from './build-if-needed.js';

buildIfNeeded();

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
for (const [path, { dev }] of Object.entries(lock.packages)) {
  if (dev) delete lock.packages[path];
}
delete lock.packages[''].devDependencies;
writeFileSync('npm-shrinkwrap.json', `${JSON.stringify(lock, null, 2)}\n`);
