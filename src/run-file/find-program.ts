// Checks, before anything is started, that a launch's directory and program are there: spawn(2)'s
// own ENOENT would not say which of the two is missing.

import { accessSync, constants, readlinkSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Launch } from './evaluate-run-file.js';
import { RunFileError } from './run-file-error.js';

/** Where execvp(3) looks when PATH is not set. */
const defaultPath = '/bin:/usr/bin';

/**
 * The absolute path of the launch's program. A name without a slash is looked up in the PATH of the
 * launch's own environment, whose empty and relative parts are passed over; one with a slash starts
 * from the launch's directory.
 *
 * @throws RunFileError when the directory cannot be entered or the program cannot be executed,
 *   naming the line
 */
export function findProgram(launch: Launch): string {
  const { file, program, directory } = launch;
  const directoryProblem = tryDirectory(directory);
  if (directoryProblem !== null) {
    throw new RunFileError(file, launch.directoryLine, `chdir: ${directory}: ${directoryProblem}`);
  }
  if (program.includes('/')) {
    const path = resolve(directory, program);
    const problem = tryExecutable(path);
    if (problem === null) return path;
    throw new RunFileError(file, launch.programLine, `program: ${path}: ${problem}`);
  }
  let found = 'not found in PATH';
  for (const folder of (launch.environment.get('PATH') ?? defaultPath).split(':')) {
    if (!folder.startsWith('/')) continue;
    const path = resolve(folder, program);
    const problem = tryExecutable(path);
    if (problem === null) return path;
    // A link to what lies in somebody's home folder, say.
    if (problem !== absent) found += `, but ${describeLink(path)}: ${problem}`;
  }
  throw new RunFileError(file, launch.programLine, `program: ${program}: ${found}`);
}

const absent = 'no such file';

/** The path, and where it leads to if it is a link. */
function describeLink(path: string): string {
  try {
    return `${path} -> ${readlinkSync(path)}`;
  } catch {
    return path;
  }
}

/** @returns null, or what is wrong */
function tryDirectory(path: string): string | null {
  return problemOf(() => {
    if (!statSync(path).isDirectory()) return 'not a directory';
    accessSync(path, constants.X_OK);
    return null;
  }, 'no such directory');
}

function tryExecutable(path: string): string | null {
  return problemOf(() => {
    if (!statSync(path).isFile()) return 'not a regular file';
    accessSync(path, constants.X_OK);
    return null;
  }, absent);
}

function problemOf(examine: () => string | null, whenAbsent: string): string | null {
  try {
    return examine();
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return whenAbsent;
    return code === 'EACCES' ? 'permission denied' : code;
  }
}
