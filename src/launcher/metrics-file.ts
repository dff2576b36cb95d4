// The file that a collector reads: always whole, old or new.

import { renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Log } from '../system/log.js';

/**
 * Puts a text in the place of the file. Not synced to the disk: after a crash there are new counters anyway. What does not
 * work is a warning in the log.
 */
export function writeMetricsFile(file: string, text: string, log: Log): void {
  // Collectors read what ends in .prom; this does not.
  const temporary = `${file}.${process.pid}.new`;
  try {
    writeFileSync(temporary, text, { mode: 0o644 });
    renameSync(temporary, file);
  } catch (error) {
    log.write('warning', { why: `option --metrics: ${(error as Error).message}` });
    rmSync(temporary, { force: true });
  }
}
