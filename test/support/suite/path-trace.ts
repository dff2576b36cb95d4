// pop3d under strace(1): every path that it hands to the system, in order, and when the login was accepted.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { expectProgram, skipOrFail, unlessInstalled } from '../peers/debian.js';
import { builtProgram, runCommand } from '../programs/run-program.js';

export interface TracedCall {
  readonly call: string;
  /** latin1 bytes, as given: relative to the mail root unless absolute. */
  readonly path: string;
  /** The rest of the line: flags and result. */
  readonly rest: string;
}

export interface PathTrace {
  readonly replies: string;
  readonly log: string;
  /** Calls up to the log line of the login, or all when there was none. */
  readonly beforeLogin: readonly TracedCall[];
  readonly afterLogin: readonly TracedCall[];
}

/** For tap's `skip` option. */
export function unlessTraceable(): string | false {
  const missing = unlessInstalled('strace');
  if (missing !== false) return missing;
  const { status } = spawnSync(expectProgram('strace'), ['-qq', '-o', '/dev/null', 'true']);
  return status === 0 ? false : skipOrFail('strace may not trace here');
}

/** Runs one session in a mail root. @param script what the client sends, latin1 */
export async function tracePaths(
  t: Test,
  cwd: string,
  script: string,
  args: readonly string[] = [],
): Promise<PathTrace> {
  const folder = mkdtempSync(join(tmpdir(), 'pop3d-trace-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  const output = join(folder, 'trace');
  const { stdout, stderr } = await runCommand(
    t,
    expectProgram('strace'),
    [
      ...['-f', '-qq', '-s', '5000', '-xx', '-e', 'trace=%file,write', '-e', 'signal=none'],
      ...['-o', output, process.execPath, builtProgram('pop3d'), ...args],
    ],
    { cwd, input: Buffer.from(script, 'latin1') },
  );
  const lines = readFileSync(output, 'latin1').split('\n');
  const login = lines.findIndex((line) => line.includes(`"${hex('pop3d: login ')}`));
  const end = login === -1 ? lines.length : login;
  const directories = new Map<string, string>();
  const calls = (part: readonly string[]): readonly TracedCall[] =>
    part.flatMap(parseCall).map((call) => throughDescriptors(call, directories));
  return {
    replies: stdout.toString('latin1'),
    log: stderr,
    beforeLogin: calls(lines.slice(0, end)),
    afterLogin: calls(lines.slice(end)),
  };
}

/**
 * A path below /proc/self/fd is one below the directory that was opened there.
 *
 * @param directories by descriptor; what this call opens is added
 */
function throughDescriptors(call: TracedCall, directories: Map<string, string>): TracedCall {
  const [, descriptor = '', below = ''] = /^\/proc\/self\/fd\/([0-9]+)(.*)$/s.exec(call.path) ?? [];
  const directory = directories.get(descriptor);
  const path = directory === undefined ? call.path : `${directory}${below}`;
  const [, opened] = /\) += ([0-9]+)/.exec(call.rest) ?? [];
  if (call.call === 'openat' && opened !== undefined) {
    if (call.rest.includes('O_PATH')) directories.set(opened, path);
    else directories.delete(opened);
  }
  return { ...call, path };
}

/** Bytes as strace -xx prints them. */
function hex(text: string): string {
  return [...Buffer.from(text, 'latin1')]
    .map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`)
    .join('');
}

/** One entry for each path of a call: rename and link have two. */
function parseCall(line: string): TracedCall[] {
  // `unfinished` has the arguments, `resumed` only the result.
  const [, call = '', tail = ''] = /^[0-9]+ +([a-z0-9_]+)\((.*)$/.exec(line) ?? [];
  if (call === '' || call === 'write' || call === 'execve') return [];
  const paths = [...tail.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, bytes = '']) =>
    Buffer.from(bytes.replaceAll('\\x', ''), 'hex').toString('latin1'),
  );
  const rest = tail.replace(/"(?:\\x[0-9a-f]{2})*"/g, '""');
  // What readlink found is no path that it was given.
  return (call.startsWith('readlink') ? paths.slice(0, 1) : paths)
    .filter((path) => path !== '') // A call on a descriptor.
    .map((path) => ({ call, path, rest }));
}
