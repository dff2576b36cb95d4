// Starts what a run file came to. The one place where programs are started from run files.

import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import type { Launch } from './evaluate-run-file.js';
import { findProgram } from './find-program.js';
import { RunFileError } from './run-file-error.js';

/** How a program ended; one of the two is null. */
export interface ProgramEnd {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface StartedProgram {
  readonly pid: number;
  /** For what only its starter may do with it, such as speak over a channel. */
  readonly child: ChildProcess;
  /** Never rejects. */
  readonly ended: Promise<ProgramEnd>;
  /** Does nothing once the program has ended. */
  kill(signal: NodeJS.Signals): void;
}

/**
 * Starts the program, in a session of its own: a terminal's Ctrl-C reaches whoever started it and
 * not the program. Of this process's descriptors it gets those in `stdio` only; signals have their
 * default meanings.
 *
 * @throws RunFileError when directory or program are not there, or the system cannot start it now
 */
export async function startProgram(launch: Launch, stdio: StdioOptions): Promise<StartedProgram> {
  const program = findProgram(launch);
  const [argv0, ...rest] = launch.arguments;
  let child: ChildProcess;
  try {
    child = spawn(program, rest, {
      argv0,
      cwd: launch.directory,
      env: Object.fromEntries(launch.environment),
      stdio,
      detached: true,
    });
  } catch (error) {
    throw notStarted(launch, error);
  }
  const ended = new Promise<ProgramEnd>((resolve) => {
    child.once('exit', (status, signal) => {
      resolve({ status, signal });
    });
  });
  const { pid } = child;
  if (pid === undefined) {
    throw notStarted(launch, await new Promise((resolve) => child.once('error', resolve)));
  }
  child.on('error', () => undefined);
  return { pid, child, ended, kill: (signal) => child.kill(signal) };
}

function notStarted(launch: Launch, error: unknown): RunFileError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new RunFileError(
    launch.file,
    launch.programLine,
    `program: ${launch.program}: cannot be started: ${code ?? message}`,
  );
}
