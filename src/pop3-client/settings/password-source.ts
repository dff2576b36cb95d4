// Where the password comes from: a file, a command, the command line, the environment, or whoever
// is at the terminal.

import { execFile } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { readPassword as askPassword } from '../../auth/passdb/password-input.js';
import { reasonOf } from './failures.js';
import { ConfigurationError, TemporaryError, UsageError } from '../../system/failures/failures.js';

export interface PasswordSources {
  readonly file: string | undefined;
  readonly command: string | undefined;
  /** The third argument: `-` means to ask. */
  readonly argument: string | undefined;
  /** POP3GET_PASSWORD. */
  readonly environment: string | undefined;
}

/** A password file is one line; more than this is some other file. */
const maxFileOctets = 4096;
const commandTimeoutMs = 120_000;

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
  if (file !== undefined) return readFromFile(file);
  if (command !== undefined) return readFromCommand(command);
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

async function readFromFile(path: string): Promise<Buffer> {
  let file;
  try {
    file = await open(path, 'r');
    const stats = await file.stat();
    if (stats.isFile() && (stats.mode & 0o007) !== 0) {
      throw new ConfigurationError(`${path} can be read by others: chmod 600 ${path}`);
    }
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxFileOctets), 0, maxFileOctets);
    return firstLine(buffer.subarray(0, bytesRead));
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    throw new ConfigurationError(`--password-file: ${reasonOf(error)}`);
  } finally {
    await file?.close();
  }
}

async function readFromCommand(command: string): Promise<Buffer> {
  const environment = { ...process.env, POP3GET_PASSWORD: '' };
  return new Promise((resolve, reject) => {
    const child = execFile(
      '/bin/sh',
      ['-c', command],
      {
        ...{ env: environment, encoding: 'buffer' },
        ...{ timeout: commandTimeoutMs, maxBuffer: maxFileOctets },
      },
      (error, stdout) => {
        // The error's message holds the command, which may hold a secret.
        if (error === null) resolve(firstLine(stdout));
        else
          reject(
            new TemporaryError(
              `--password-command failed (${String(error.code ?? error.signal ?? 'killed')})`,
            ),
          );
      },
    );
    // A command that asks for a passphrase finds the terminal at /dev/tty.
    child.stdin?.end();
    child.stderr?.pipe(process.stderr, { end: false });
  });
}

const byteOrderMark = Buffer.from('\ufeff');

/**
 * The octets before the first line end. A byte order mark that an editor put first is no part of a
 * password.
 */
function firstLine(octets: Buffer): Buffer {
  const start = octets.indexOf(byteOrderMark) === 0 ? byteOrderMark.length : 0;
  const end = octets.findIndex((octet) => octet === 0x0a || octet === 0x0d);
  return octets.subarray(start, end === -1 ? octets.length : end);
}
