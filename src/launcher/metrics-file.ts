// The file that a collector reads: always whole, old or new.

import { lstatSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Log } from '../system/log.js';

/**
 * Puts a text in the place of the file. Not synced to the disk: after a crash there are new counters anyway. What does not
 * work is a warning in the log, as is something at that place that is no regular file: a device would be replaced too.
 */
export function writeMetricsFile(file: string, text: string, log: Log): void {
  // Collectors read what ends in .prom; this does not.
  const temporary = `${file}.${process.pid}.new`;
  try {
    if (lstatSync(file, { throwIfNoEntry: false })?.isFile() === false) {
      throw new Error(`${file}: is not a regular file`);
    }
    rmSync(temporary, { force: true });
    // Made anew: what somebody else puts there meanwhile, such as a link, is not written to.
    writeFileSync(temporary, text, { mode: 0o644, flag: 'wx' });
    renameSync(temporary, file);
  } catch (error) {
    log.write('warning', { why: `option --metrics: ${(error as Error).message}` });
    rmSync(temporary, { force: true });
  }
}
