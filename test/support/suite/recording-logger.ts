// A logger(1) that keeps its arguments and its input in a file, for where no syslog daemon runs.

import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { poll } from './deadline.js';

interface TestOwner {
  testdir(content: Record<string, string>): string;
}

export interface RecordingLogger {
  /** For PATH: the folder that holds it, then the caller's. */
  readonly path: string;
  /** Waits for that many lines, the arguments being one for each start. @returns all of them, latin1 */
  recorded(lineCount: number): Promise<string>;
}

/** Makes it in the test's folder. */
export function recordingLogger(t: TestOwner): RecordingLogger {
  const folder = t.testdir({ lines: '' });
  const program = join(folder, 'logger');
  const lines = join(folder, 'lines');
  writeFileSync(program, `#!/bin/sh\necho "$@" >>'${lines}'\nexec cat >>'${lines}'\n`);
  chmodSync(program, 0o755);
  return {
    path: `${folder}:${process.env['PATH'] ?? ''}`,
    recorded: (lineCount) =>
      poll(`${lineCount} lines for logger`, () => {
        const text = readFileSync(lines, 'latin1');
        return Promise.resolve(text.split('\n').length > lineCount ? text : undefined);
      }),
  };
}
