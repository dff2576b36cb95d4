// Programs of other packages that some tests need. Without them a test is skipped, but never in CI.

import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/**
 * The path of a program, or null. Looks in PATH, the sbin folders, and TEST_PROGRAM_PATH, where `.ci/run` puts programs
 * whose packages cannot be installed side by side.
 */
export function tryFindProgram(name: string): string | null {
  const folders = [
    ...(process.env['PATH'] ?? '').split(':'),
    '/usr/local/sbin',
    '/usr/sbin',
    '/sbin',
    ...(process.env['TEST_PROGRAM_PATH'] ?? '').split(':'),
  ];
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here; the next folder may have it.
    }
  }
  return null;
}

/** The path of a program that the test was not skipped for. @throws Error when it is not installed */
export function expectProgram(name: string): string {
  const path = tryFindProgram(name);
  if (path === null) throw new Error(`${name} is not installed`);
  return path;
}

/**
 * For tap's `skip` option: `t.test('…', { skip: unlessInstalled('curl') }, …)`.
 *
 * @returns false when all are there, else the reason
 * @throws Error instead when CI=true: there a missing program is a failure, not a skip
 */
export function unlessInstalled(...names: readonly string[]): string | false {
  const missing = names.filter((name) => tryFindProgram(name) === null);
  if (missing.length === 0) return false;
  return skipOrFail(`not installed: ${missing.join(', ')}`);
}

/** As `unlessInstalled`, for tests that only root can run. */
export function unlessRoot(): string | false {
  return process.geteuid?.() === 0 ? false : 'only root can do this';
}

/** As `unlessInstalled`, for tests that mount: containers may have root without the right to. */
export function unlessMountNamespaces(): string | false {
  const missing = unlessInstalled('unshare');
  if (missing !== false) return missing;
  const { status } = spawnSync('unshare', ['--mount', 'true']);
  return status === 0 ? false : skipOrFail('unshare(1) may not mount here');
}

/** The reason as it is, or with CI=true an Error. */
export function skipOrFail(reason: string): string {
  if (process.env['CI'] === 'true') throw new Error(reason);
  return reason;
}
