// How many system calls a process makes meanwhile, counted by strace(1). Unlike times, counts are the same on every machine.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { poll } from '../test/support/suite/deadline.js';
import { startCommand, type Teardown } from '../test/support/programs/run-program.js';

/** Counts those of a process and its threads until the returned function is called. */
export async function countSystemCalls(
  t: Teardown,
  pid: number,
  folder: string,
): Promise<() => Promise<number>> {
  const summary = join(folder, `system-calls-${pid}`);
  const strace = startCommand(t, 'strace', ['-f', '-c', '-o', summary, '-p', String(pid)]);
  await poll(`strace to watch ${pid}`, () =>
    Promise.resolve(/attached/.test(strace.stderr) ? true : undefined),
  );
  return async () => {
    strace.kill('SIGINT');
    await strace.ending;
    // The last line: % time, seconds, µs a call, calls, errors if any, "total".
    const last = readFileSync(summary, 'latin1').trimEnd().split('\n').at(-1) ?? '';
    return Number(last.trim().split(/ +/)[3] ?? Number.NaN);
  };
}
