// Checks the manual: every page is clean mdoc and in package.json's `man`, every program that is built has a page, and
// every option that its --help shows is in that page. Run by `npm run check`.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tryFindProgram } from '../peers/debian.js';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly bin: Readonly<Record<string, string>>;
  readonly man: readonly string[];
};
const pages = readdirSync(join(root, 'doc'))
  .filter((name) => /\.[1-8]$/.test(name))
  .map((name) => `doc/${name}`);

const faults = [
  ...pages
    .filter((page) => !manifest.man.some((listed) => join(listed) === page))
    .map((page) => `package.json: "man" lacks ${page}`),
  ...manifest.man
    .filter((listed) => !pages.includes(join(listed)))
    .map((listed) => `package.json: "man" has ${listed}, which does not exist`),
  ...pages.flatMap(mandocFaults),
  ...Object.entries(manifest.bin)
    .filter(([, path]) => existsSync(join(root, path)))
    .flatMap(([name, path]) => programFaults(name, path)),
];
for (const fault of faults) process.stderr.write(`${fault}\n`);
process.exitCode = faults.length === 0 ? 0 : 1;

function mandocFaults(page: string): string[] {
  const mandoc = tryFindProgram('mandoc');
  if (mandoc === null) {
    if (process.env['CI'] === 'true') return [`${page}: mandoc is not installed`];
    process.stderr.write(`${page}: not checked, mandoc is not installed\n`);
    return [];
  }
  const { stdout, status } = spawnSync(mandoc, ['-T', 'lint', '-W', 'warning', page], {
    cwd: root,
    encoding: 'utf8',
  });
  return status === 0 ? [] : stdout.trimEnd().split('\n');
}

function programFaults(name: string, path: string): string[] {
  const page = pages.find((candidate) => candidate.startsWith(`doc/${name}.`));
  if (page === undefined) return [`doc: no page for ${name}`];
  const text = readFileSync(join(root, page), 'utf8');
  const help = spawnSync(process.execPath, [join(root, path), '--help'], { encoding: 'utf8' });
  const options = [...help.stdout.matchAll(/^ +--(?:\[no-\])?([a-z0-9_-]+)/gm)];
  return options
    .map(([, option = '']) => option)
    .filter((option) => !text.replaceAll('\\-', '-').includes(`Fl -${option}`))
    .map((option) => `${page}: --${option} is not documented`);
}
