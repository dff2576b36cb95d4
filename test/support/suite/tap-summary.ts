// Prints what failed and was skipped, and `N passed, N failed`, for a run of tap, from the TAP that
// it wrote: the last lines of `.ci/run`, which are all that is seen of a long log.
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

/** `FILE: TITLE: TITLE …` for everything that failed, from the file down to the assertion. */
function failures(tap: string): string[] {
  const path: string[] = [];
  const found: string[] = [];
  for (const line of tap.split('\n')) {
    const [, indent = '', subtest, failed] =
      /^( *)(?:# Subtest: (.*)|not ok \d+ - (.*))$/.exec(line) ?? [];
    const depth = indent.length / 4;
    if (subtest !== undefined) path.splice(depth, Infinity, subtest);
    if (failed === undefined) continue;
    const failure = [...path.slice(0, depth), failed.replace(/ # time=.*$/, '')].join(': ');
    // A test's own line comes after those of what failed in it.
    if (!found.some((inner) => inner.startsWith(`${failure}: `))) found.push(failure);
  }
  return found;
}

function readTap(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    process.stdout.write(`no test results: ${(error as Error).message}\n`);
    return '';
  }
}

const tap = readTap(process.argv[2] ?? 'build/test-results.tap');
const skips = tap.split('\n').filter((line) => /^\s*ok \d+ .*# SKIP\b/.test(line));
for (const skip of skips) process.stdout.write(`skipped: ${skip.trim()}\n`);
for (const failure of failures(tap)) process.stdout.write(`failed: ${failure}\n`);
const counts = tryReadCounts(tap) ?? { passed: 0, failed: 0 };
const isGood =
  counts.passed > 0 &&
  counts.failed === 0 &&
  !/^not ok /m.test(tap) &&
  !skips.some((skip) => /not installed/.test(skip));
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
process.exitCode = isGood ? 0 : 1;
