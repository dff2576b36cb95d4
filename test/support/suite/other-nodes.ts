// Runs test files on other versions of Node than the one that runs this: `other-nodes.js VERSION... -- FILE|FOLDER...`. Their binaries
// come from npm, into a cache. Writes the TAP of each version to build/test-results-node-VERSION.tap for tap-summary.ts, and
// prints its counts. They share this build, and node_modules, whose binary of better-sqlite3 is for one of them only: the
// others use the SQLite that they have.

import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { installNode } from './node-binaries.js';

/** A test file on its way; generous, since machines differ. */
const fileTimeoutMs = 1_800_000;

interface FileResult {
  readonly file: string;
  readonly tap: string;
  readonly isGood: boolean;
}

const [versions, files] = readArguments(process.argv.slice(2));
for (const version of versions) await runOn(version);

function readArguments(args: readonly string[]): [readonly string[], readonly string[]] {
  const separator = args.indexOf('--');
  if (separator < 1) throw new Error('usage: other-nodes.js VERSION... -- FILE|FOLDER...');
  return [args.slice(0, separator), args.slice(separator + 1).flatMap(testFiles)];
}

function testFiles(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => join(path, name));
}

async function runOn(version: string): Promise<void> {
  const started = performance.now();
  const node = installNode(version);
  const waiting = [...files];
  const results: FileResult[] = [];
  const runNext = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      results.push(await runFile(node, file));
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, runNext));
  const counts = { total: 0, pass: 0, fail: 0, skip: 0 };
  for (const { tap, isGood } of results) {
    const found = countsIn(tap);
    // A file that broke off has a failure that it does not tell.
    const untold = !isGood && found.fail === 0 ? 1 : 0;
    counts.pass += found.pass;
    counts.fail += found.fail + untold;
    counts.skip += found.skip;
  }
  counts.total = counts.pass + counts.fail + counts.skip;
  writeFileSync(`build/test-results-node-${version}.tap`, asOneTap(results, counts));
  const told = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  const seconds = Math.round((performance.now() - started) / 1000);
  const { pass, fail, skip } = counts;
  process.stdout.write(
    `Node ${told}: ${pass} passed, ${fail} failed, ${skip} skipped in ${results.length} files, ${seconds} s\n`,
  );
  if (fail > 0) process.exitCode = 1;
}

/** Without tap's runner and its loaders, which take longer than most of the tests. */
async function runFile(node: string, file: string): Promise<FileResult> {
  const path = [dirname(node), process.env['PATH']].join(delimiter);
  const child = spawn(node, ['--enable-source-maps', file], {
    env: { ...process.env, PATH: path, TAP_TIMEOUT: String(fileTimeoutMs / 1000) },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: fileTimeoutMs,
    killSignal: 'SIGKILL',
  });
  let tap = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (tap += text));
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { file, tap, isGood: status === 0 };
}

function countsIn(tap: string): Record<'pass' | 'fail' | 'skip', number> {
  const totals = [...tap.matchAll(/^# \{ total: \d+.*\}$/gm)].at(-1)?.[0] ?? '';
  const count = (name: string): number =>
    Number(new RegExp(`\\b${name}: (\\d+)`).exec(totals)?.[1] ?? 0);
  return { pass: count('pass'), fail: count('fail'), skip: count('skip') };
}

function asOneTap(
  results: readonly FileResult[],
  { total, pass, fail, skip }: Readonly<Record<string, number>>,
): string {
  const parts = results.map(({ file, tap, isGood }, index) => {
    const inner = tap.replace(/^TAP version 14\n/, '').replace(/^(?=.)/gm, '    ');
    return `# Subtest: ${file}\n${inner}\n${isGood ? 'ok' : 'not ok'} ${index + 1} - ${file}\n`;
  });
  const totals = `# { total: ${total}, pass: ${pass}, fail: ${fail}, skip: ${skip} }`;
  return `TAP version 14\n${parts.join('')}1..${results.length}\n${totals}\n`;
}
