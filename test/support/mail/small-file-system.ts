// A file system of its own for a test that fills it up.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { skipOrFail, unlessRoot } from '../peers/debian.js';
import type { Teardown } from '../programs/run-program.js';

let isMountable: boolean | undefined;

/** For tap's `skip` option. @returns false where root may mount, else the reason. @throws Error instead when CI=true and root may not */
export function unlessMountable(): string | false {
  const reason = unlessRoot();
  if (reason !== false) return reason;
  isMountable ??=
    spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()]).status === 0;
  return isMountable ? false : skipOrFail('nothing can be mounted here');
}

/**
 * Mounts an empty tmpfs until the test ends.
 *
 * @param options as mount(8) takes them, such as `size=2m,nr_inodes=64`
 * @param at an empty directory; by default a new one
 * @returns where it is
 */
export function mountSmallFileSystem(t: Teardown, options: string, at?: string): string {
  const path = at ?? mkdtempSync(join(tmpdir(), 'pop3-small-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]);
  t.teardown(() => {
    execFileSync('umount', [path]);
    if (at === undefined) rmSync(path, { recursive: true });
    return Promise.resolve();
  });
  return path;
}
