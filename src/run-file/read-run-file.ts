// Reads a run file from disk.

import { readTextFile, TextFileError } from '../system/text-file.js';
import { RunFileError } from './run-file-error.js';
import { parseRunFile, type RunFile } from './run-file.js';

/** Far above any real run file; bounds what one connection costs when the path points somewhere strange. */
const maxFileBytes = 65_536;

/**
 * Reads and parses a run file, anew each time.
 *
 * @throws RunFileError when it cannot be read (absent, no regular file, over 65,536 bytes, not UTF-8, a NUL in it) or parsed
 */
export function readRunFile(path: string): RunFile {
  try {
    return parseRunFile(readTextFile(path, maxFileBytes).text, path);
  } catch (error) {
    if (error instanceof TextFileError) throw new RunFileError(path, undefined, error.message);
    throw error;
  }
}
