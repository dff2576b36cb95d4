// Where the password comes from: a file, a command, the command line, the environment, or whoever
// is at the terminal.

import { readFile } from 'node:fs/promises';
import { readPassword as askPassword } from '../../auth/passdb/password-input.js';
import { firstLineOfCommand, firstLineOfFile } from './first-line.js';
import { ConfigurationError, UsageError } from '../../system/failures/failures.js';

export interface PasswordSources {
  readonly file: string | undefined;
  readonly command: string | undefined;
  /** The third argument: `-` means to ask. */
  readonly argument: string | undefined;
  /** POP3GET_PASSWORD. */
  readonly environment: string | undefined;
}

/** A password file is one line. */
const maxOctets = 4096;

/**
 * Reads the password. No error says what it is.
 *
 * @throws UsageError for two sources; ConfigurationError for a file that others may read;
 *   TemporaryError when the command fails
 */
export async function readPassword(sources: PasswordSources): Promise<Buffer> {
  const { file, command, argument, environment } = sources;
  const given = [file, command, argument].filter((source) => source !== undefined);
  if (given.length > 1) {
    throw new UsageError('give one of --password-file, --password-command and a password');
  }
  if (file !== undefined) return firstLineOfFile(file, { option: '--password-file', maxOctets });
  if (command !== undefined) {
    return firstLineOfCommand(command, { option: '--password-command', maxOctets });
  }
  if (argument !== undefined && argument !== '-')
    return octetsOf(argument, '', '/proc/self/cmdline');
  if (argument === undefined && environment !== undefined && environment !== '') {
    return octetsOf(environment, 'POP3GET_PASSWORD=', '/proc/self/environ');
  }
  return askPassword({ input: process.stdin, prompts: process.stderr });
}

/**
 * The octets of which Node made a text of the command line or the environment: what is no UTF-8 is
 * U+FFFD there, and the system alone still has it.
 *
 * @param path a file of proc(5): texts with NUL between them
 */
async function octetsOf(text: string, prefix: string, path: string): Promise<Buffer> {
  if (!text.includes('\ufffd')) return Buffer.from(text);
  const whole = await readFile(path, 'latin1').catch(() => '');
  for (const entry of whole.split('\0')) {
    const octets = Buffer.from(entry, 'latin1');
    if (octets.toString() === prefix + text) return octets.subarray(prefix.length);
  }
  throw new ConfigurationError('the password is not UTF-8: use --password-file');
}
