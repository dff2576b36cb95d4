// Servers of other packages that refuse to run as root: started as nobody, in a folder of theirs below the system's
// temporary one, where the paths of sockets are short.

import { execFile } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cleanEnvironment } from '../programs/clean-environment.js';
import {
  startCommand,
  type ProgramOptions,
  type RunningProgram,
  type Teardown,
} from '../programs/run-program.js';

/** Debian's nobody and nogroup. */
const nobody = 65_534;
const isRoot = process.geteuid?.() === 0;
const asNobody = ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', '--'];

/** A folder that the server may write to; removed after the handlers that were added later. */
export function serverFolder(t: Teardown, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  if (isRoot) chownSync(folder, nobody, nobody);
  t.teardown(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

export interface UnprivilegedOptions extends ProgramOptions {
  /** A command of root's, such as `ip netns exec`, that runs the program. */
  readonly within?: readonly string[] | undefined;
}

/** Starts a program as nobody where the tests run as root. */
export function startUnprivileged(
  t: Teardown,
  command: string,
  args: readonly string[],
  { within = [], ...options }: UnprivilegedOptions = {},
): RunningProgram {
  const [file = '', ...words] = [...within, ...(isRoot ? asNobody : []), command, ...args];
  return startCommand(t, file, words, { cwd: '/', ...options });
}

/**
 * Runs a program as nobody to its end.
 *
 * @param within a command of root's that runs it
 * @returns what it wrote
 * @throws with what it said when it fails
 */
export async function runUnprivileged(
  command: string,
  args: readonly string[],
  within: readonly string[] = [],
): Promise<string> {
  const [file = '', ...words] = [...within, ...(isRoot ? asNobody : []), command, ...args];
  const options = { cwd: '/', env: cleanEnvironment(), maxBuffer: 1 << 24 };
  const { stdout } = await promisify(execFile)(file, words, options);
  return stdout;
}

/** Sends a signal to a process and all that descend from it. What is stopped or killed starts nothing meanwhile. */
export function signalTree(pid: number, signal: NodeJS.Signals): void {
  const isEnd = signal === 'SIGSTOP' || signal === 'SIGKILL';
  const tree = new Set<number>();
  for (let found = [pid]; found.length > 0; found = childrenOf(tree)) {
    for (const member of found) {
      tree.add(member);
      if (isEnd) trySignal(member, 'SIGSTOP');
    }
  }
  if (signal !== 'SIGSTOP') for (const member of tree) trySignal(member, signal);
}

/** Those that are not members themselves. */
function childrenOf(members: ReadonlySet<number>): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((entry) => {
      const [, parent] = /^.*\) \S (\d+) /s.exec(tryRead(`/proc/${entry}/stat`)) ?? [];
      return members.has(Number(parent));
    })
    .map(Number)
    .filter((child) => !members.has(child));
}

function trySignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended meanwhile.
  }
}

function tryRead(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
