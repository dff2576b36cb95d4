// A file system that a program serves, as file servers are served by programs: it can be made to stop answering, and to
// die. A folder seen through bindfs.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expectProgram, skipOrFail, unlessInstalled, unlessRoot } from '../peers/debian.js';
import { startCommand, type Teardown } from '../programs/run-program.js';
import { poll } from '../suite/deadline.js';

/** For tap's `skip` option. */
export function unlessFuse(): string | false {
  const missing = unlessRoot() || unlessInstalled('bindfs');
  if (missing !== false) return missing;
  return existsSync('/dev/fuse') ? false : skipOrFail('there is no /dev/fuse');
}

export interface FuseFileSystem {
  /** From now on calls wait. */
  freeze(): void;
  thaw(): void;
  /** From now on calls fail with ENOTCONN; so do those that wait. */
  die(): Promise<void>;
}

/**
 * Shows a folder at another one until the test ends. Give it the test before the programs that use
 * it: what is started later is ended before.
 */
export async function mountFuse(t: Teardown, folder: string, at: string): Promise<FuseFileSystem> {
  t.teardown(() => {
    try {
      execFileSync('umount', ['-l', at], { stdio: 'ignore' });
    } catch {
      // It never was mounted, or bindfs did it.
    }
    return Promise.resolve();
  });
  // No memory of attributes and names in the kernel: each call asks bindfs.
  const options = 'attr_timeout=0,entry_timeout=0,negative_timeout=0';
  const bindfs = startCommand(t, expectProgram('bindfs'), ['-f', '-o', options, folder, at]);
  await poll(`${at} to be mounted: ${bindfs.stderr}`, () =>
    Promise.resolve(
      readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${at} `) ? true : undefined,
    ),
  );
  return {
    freeze: () => bindfs.kill('SIGSTOP'),
    thaw: () => bindfs.kill('SIGCONT'),
    die: async () => {
      bindfs.kill('SIGKILL');
      await bindfs.ending;
    },
  };
}
