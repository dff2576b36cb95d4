// Which failures of the file system mend themselves, and which wait for a person.

import { ConfigurationError, TemporaryError } from './failures.js';

/**
 * Rights, and something else in a file's place: the next try would fail as this one did. A
 * read-only disk may be being repaired.
 */
const lastingCodes = new Set([
  'EACCES',
  'EPERM',
  'EISDIR',
  'ENOTDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'ENXIO',
]);

/**
 * What to throw in the place of a system's error.
 *
 * @param error what the system said; one that is a ConfigurationError or TemporaryError already is
 *   returned as it is
 * @param message names the file and what is wrong with it
 */
export function fileFailure(error: unknown, message: string): ConfigurationError | TemporaryError {
  if (error instanceof ConfigurationError || error instanceof TemporaryError) return error;
  const { code } = error as NodeJS.ErrnoException;
  return code !== undefined && lastingCodes.has(code)
    ? new ConfigurationError(message)
    : new TemporaryError(message);
}
