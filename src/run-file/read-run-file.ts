// Reads a run file from disk.

import { statSync } from 'node:fs';
import { readTextFile, signatureOf, TextFileError } from '../system/files/text-file.js';
import { RunFileError } from './run-file-error.js';
import { parseRunFile, type RunFile } from './run-file.js';

/** Far above any real run file; bounds what one connection costs when the path points somewhere strange. */
const maxFileBytes = 65_536;

/**
 * A file that was changed so short a time before it was read may change again without a trace: the system's time stamps have a
 * grain, which is 2 s on some file systems.
 */
const stampGrainMs = 2000;

/** What was parsed last: the next connection nearly always finds the same file. */
let last:
  | {
      readonly path: string;
      readonly text: string;
      /** Of the file, when it had stood still for long enough to be told by it; null when not. */
      readonly signature: string | null;
      readonly runFile: RunFile;
    }
  | undefined;

/**
 * Reads a run file as it is now. Costs a stat(2) when it is the one that was read last, and is parsed when its text is another.
 *
 * @throws RunFileError when it cannot be read (absent, no regular file, over 65,536 bytes, not UTF-8, a NUL in it) or parsed
 */
export function readRunFile(path: string): RunFile {
  if (last?.path === path && last.signature !== null && last.signature === presentSignature(path)) {
    return last.runFile;
  }
  try {
    const readMs = Date.now();
    const { text, signature, changedMs } = readTextFile(path, maxFileBytes);
    const isSettled = Math.abs(readMs - changedMs) > stampGrainMs;
    const runFile =
      last?.path === path && last.text === text ? last.runFile : parseRunFile(text, path);
    last = { path, text, signature: isSettled ? signature : null, runFile };
    return runFile;
  } catch (error) {
    if (error instanceof TextFileError) throw new RunFileError(path, undefined, error.message);
    throw error;
  }
}

/** @returns null when it cannot be looked at: reading it says why */
function presentSignature(path: string): string | null {
  try {
    return signatureOf(statSync(path, { bigint: true }));
  } catch {
    return null;
  }
}
