// Reads a run file from disk.

import { readTextFile, TextFileError } from '../system/text-file.js';
import { RunFileError } from './run-file-error.js';
import { parseRunFile, type RunFile } from './run-file.js';

/** Far above any real run file; bounds what one connection costs when the path points somewhere strange. */
const maxFileBytes = 65_536;

/** What was parsed last: the next connection nearly always finds the same text. */
let last: { readonly path: string; readonly text: string; readonly runFile: RunFile } | undefined;

/**
 * Reads a run file, anew each time, and parses it when its text is another than the last.
 *
 * @throws RunFileError when it cannot be read (absent, no regular file, over 65,536 bytes, not UTF-8, a NUL in it) or parsed
 */
export function readRunFile(path: string): RunFile {
  try {
    const { text } = readTextFile(path, maxFileBytes);
    if (last?.path !== path || last.text !== text) {
      last = { path, text, runFile: parseRunFile(text, path) };
    }
    return last.runFile;
  } catch (error) {
    if (error instanceof TextFileError) throw new RunFileError(path, undefined, error.message);
    throw error;
  }
}
