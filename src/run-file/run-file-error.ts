// What is wrong with a run file, and where.

import { ConfigurationError } from '../system/failures/failures.js';

/** The message reads `FILE:LINE: DIRECTIVE: problem`, without what does not apply. */
export class RunFileError extends ConfigurationError {
  readonly file: string;
  /** From 1; undefined when the file as a whole is at fault. */
  readonly line: number | undefined;
  readonly problem: string;

  constructor(file: string, line: number | undefined, problem: string) {
    super(line === undefined ? `${file}: ${problem}` : `${file}:${line}: ${problem}`);
    this.file = file;
    this.line = line;
    this.problem = problem;
  }
}
