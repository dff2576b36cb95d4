// Prints what failed and was skipped, and `N passed, N failed`, for runs of tap, from the TAP that
// they wrote: the last lines of `.ci/run`, which are all that is seen of a long log.
// Fails when a test failed, when nothing ran, or when a test was skipped because something was not installed.

import { readFileSync } from 'node:fs';

interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** The counts that tap wrote at the end of its TAP; null when it did not come to its end. */
function tryReadCounts(tap: string): Counts | null {
  const totals = [...tap.matchAll(/^# \{ total: \d+.*\}$/gm)].at(-1)?.[0];
  if (totals === undefined) return null;
  const count = (name: string): number =>
    Number(new RegExp(`\\b${name}: (\\d+)`).exec(totals)?.[1] ?? 0);
  return { passed: count('pass'), failed: count('fail') };
}

/** So much of what an assertion says of its failure is printed. */
const mostDiagnosticLines = 20;

/**
 * `FILE: TITLE: TITLE …` for everything that failed, from the file down to the assertion, with the
 * lines that say why.
 */
function failures(tap: string): string[] {
  const path: string[] = [];
  const found: string[] = [];
  const lines = tap.split('\n');
  for (const [index, line] of lines.entries()) {
    const [, indent = '', subtest, failed] =
      /^( *)(?:# Subtest: (.*)|not ok \d+ - (.*))$/.exec(line) ?? [];
    const depth = indent.length / 4;
    if (subtest !== undefined) path.splice(depth, Infinity, subtest);
    if (failed === undefined) continue;
    const failure = [...path.slice(0, depth), failed.replace(/ # time=.*$/, '')].join(': ');
    // A test's own line comes after those of what failed in it.
    if (found.some((inner) => inner.startsWith(`${failure}: `))) continue;
    found.push([failure, ...diagnosticAfter(lines, index)].join('\n  '));
  }
  return found;
}

/**
 * What TAP's diagnostic block behind a line says of the place and of the difference. That is a
 * block scalar of YAML, folded (`>`, with empty lines between) where it has long lines.
 */
function diagnosticAfter(lines: readonly string[], index: number): readonly string[] {
  if (lines[index + 1]?.trim() !== '---') return [];
  const wanted: string[] = [];
  let diffIndent = Infinity;
  for (const line of lines.slice(index + 2)) {
    if (line.trim() === '...' || wanted.length === mostDiagnosticLines) break;
    if (line.trim() === '') continue;
    const indent = /^ */.exec(line)?.[0].length ?? 0;
    if (indent <= diffIndent) diffIndent = Infinity;
    if (/^ *diff: [|>]/.test(line)) diffIndent = indent;
    else if (indent > diffIndent || /^ *lineNumber: /.test(line)) wanted.push(line.trim());
  }
  return wanted;
}

function readTap(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    process.stdout.write(`no test results: ${(error as Error).message}\n`);
    return '';
  }
}

/** `test-results-node-22.tap` is what the tests said on another Node. */
function labelOf(path: string): string {
  const [, version] = /-node-([\d.]+)\.tap$/.exec(path) ?? [];
  return version === undefined ? '' : `Node ${version}: `;
}

const results = process.argv.slice(2).map((path) => ({ label: labelOf(path), tap: readTap(path) }));
const total = { passed: 0, failed: 0 };
let isGood = results.length > 0;
for (const { label, tap } of results) {
  const skips = tap.split('\n').filter((line) => /^\s*ok \d+ .*# SKIP\b/.test(line));
  for (const skip of skips) process.stdout.write(`skipped: ${label}${skip.trim()}\n`);
  for (const failure of failures(tap)) process.stdout.write(`failed: ${label}${failure}\n`);
  const counts = tryReadCounts(tap) ?? { passed: 0, failed: 0 };
  if (label !== '') {
    process.stdout.write(`${label}${counts.passed} passed, ${counts.failed} failed\n`);
  }
  total.passed += counts.passed;
  total.failed += counts.failed;
  isGood &&=
    counts.passed > 0 &&
    counts.failed === 0 &&
    !/^not ok /m.test(tap) &&
    !skips.some((skip) => /not installed/.test(skip));
}
process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
process.exitCode = isGood ? 0 : 1;
