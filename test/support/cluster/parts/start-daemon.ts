// Starts a program on a host. What it writes goes to a file: of a pipe, whatever it starts itself would keep the end open.

import { closeSync, openSync } from 'node:fs';
import { startCommand, type RunningProgram, type Teardown } from '../../programs/run-program.js';
import type { Host } from './hosts.js';

/** @param output a file that is made, or added to */
export function startDaemon(
  t: Teardown,
  host: Pick<Host, 'command'>,
  output: string,
  words: readonly string[],
): RunningProgram {
  const [command = '', ...rest] = [...host.command, ...words];
  const fds = [openSync('/dev/null', 'r'), openSync(output, 'a')] as const;
  try {
    return startCommand(t, command, rest, { fds: [fds[0], fds[1], fds[1]] });
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}
