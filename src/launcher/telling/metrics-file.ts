// The file that a collector reads: always whole, old or new.

import { lstatSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Log } from '../../system/log/log.js';
import { ConfigurationError } from '../../system/failures/failures.js';

/**
 * Finds out at the start what no write could mend.
 *
 * @throws ConfigurationError for an empty name and for what is there and no regular file
 */
export function requireMetricsFile(file: string): void {
  if (file === '') throw new ConfigurationError('option --metrics: the name of the file is empty');
  if (isTaken(file)) throw new ConfigurationError(`option --metrics: ${notRegular(file)}`);
}

/**
 * Puts a text in the place of the file. Not synced to the disk: after a crash there are new
 * counters anyway. What does not work is a warning in the log, as is something at that place that
 * is no regular file: a device would be replaced too.
 */
export function writeMetricsFile(file: string, text: string, log: Log): void {
  // Collectors read what ends in .prom; this does not.
  const temporary = `${file}.${process.pid}.new`;
  try {
    if (isTaken(file)) throw new Error(notRegular(file));
    rmSync(temporary, { force: true });
    // Made anew: what somebody else puts there meanwhile, such as a link, is not written to.
    writeFileSync(temporary, text, { mode: 0o644, flag: 'wx' });
    renameSync(temporary, file);
  } catch (error) {
    log.write('warning', { why: `option --metrics: ${(error as Error).message}` });
    rmSync(temporary, { force: true });
  }
}

/** Whether something is there that is no regular file; false where nothing can be seen. */
function isTaken(file: string): boolean {
  try {
    return !lstatSync(file).isFile();
  } catch {
    // Nothing is there, or nothing can be seen there, of which writing will tell.
    return false;
  }
}

function notRegular(file: string): string {
  return `${file}: is not a regular file`;
}
