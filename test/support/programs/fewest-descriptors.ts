// How many descriptors Node needs to start at all: 18 in Node 20, 21 from Node 22 on. With fewer it crashes before our code runs.

import { spawnSync } from 'node:child_process';

/** The smallest limit of open files, from 18 on, with which Node runs an empty program. */
export function fewestDescriptors(): number {
  for (let limit = 18; limit < 64; limit += 1) {
    const { status, error } = spawnSync('prlimit', [
      `--nofile=${limit}`,
      process.execPath,
      ...['-e', '0'],
    ]);
    if (error !== undefined) return limit; // Without prlimit(1) the tests are skipped.
    if (status === 0) return limit;
  }
  throw new Error('Node does not start with 63 descriptors');
}
