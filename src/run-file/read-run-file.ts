// Reads a run file from disk.

import { FileWatch } from '../system/files/file-stamp.js';
import { readTextFile, TextFileError } from '../system/files/text-file.js';
import { RunFileError } from './run-file-error.js';
import { parseRunFile, type RunFile } from './run-file.js';

/** Far above any real run file: bounds what a wrong path costs each connection. */
const maxFileBytes = 65_536;

/** What was parsed last: the next connection nearly always finds the same file. */
let last:
  | {
      readonly path: string;
      readonly watch: FileWatch;
      readonly text: string;
      readonly runFile: RunFile;
    }
  | undefined;

/**
 * Reads a run file as it is now. Costs a stat(2) when it is the one that was read last, and is
 * parsed when its text is another.
 *
 * @throws RunFileError when it cannot be read (absent, no regular file, over 65,536 bytes, not
 *   UTF-8, a NUL in it) or parsed
 */
export function readRunFile(path: string): RunFile {
  const known = last?.path === path ? last : undefined;
  const watch = known?.watch ?? new FileWatch(path);
  if (!mayHaveChanged(watch) && known !== undefined) return known.runFile;
  // Only what was read and parsed is known.
  last = undefined;
  try {
    const text = readTextFile(path, maxFileBytes);
    const runFile = known?.text === text ? known.runFile : parseRunFile(text, path);
    last = { path, watch, text, runFile };
    return runFile;
  } catch (error) {
    if (error instanceof TextFileError) throw new RunFileError(path, undefined, error.message);
    throw error;
  }
}

/** When stat(2) fails, reading the file fails as well and gives the reason. */
function mayHaveChanged(watch: FileWatch): boolean {
  try {
    return watch.mayHaveChanged();
  } catch {
    return true;
  }
}
