// The file that a collector reads: always whole, old or new.

import { lstatSync } from 'node:fs';
import type { Log } from '../../system/log/log.js';
import { ConfigurationError } from '../../system/failures/failures.js';
import { replaceFile } from '../../system/files/replace-file.js';
import { systemWords } from '../../system/failures/system-words.js';

const notRegular = 'is not a regular file';

/**
 * Finds out at the start what no write could mend.
 *
 * @throws ConfigurationError for an empty name and for what is there and no regular file
 */
export function requireMetricsFile(file: string): void {
  if (file === '') throw new ConfigurationError('option --metrics: the name of the file is empty');
  if (isTaken(file)) throw new ConfigurationError(`option --metrics: ${file}: ${notRegular}`);
}

/**
 * Puts a text in the place of the file. Not synced to the disk: after a crash there are new
 * counters anyway. What does not work is a warning in the log, and so is something there that is no
 * regular file: a device would be replaced too. Never rejects.
 */
export async function writeMetricsFile(file: string, text: string, log: Log): Promise<void> {
  try {
    if (isTaken(file)) throw new Error(notRegular);
    // Collectors read what ends in .prom. The temporary file's name does not.
    await replaceFile(file, [text], 'utf8');
  } catch (error) {
    log.write('warning', { why: `option --metrics: ${file}: ${systemWords(error)}` });
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
