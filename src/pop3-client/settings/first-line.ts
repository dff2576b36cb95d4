// The first line of a file or of what a command prints: how a secret is given to pop3get.

import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { exitCode } from '../../system/failures/exit-code.js';
import { ConfigurationError, TemporaryError } from '../../system/failures/failures.js';
import { systemWords } from '../../system/failures/system-words.js';

export interface SecretPlace {
  /** The option that names it, for errors. */
  readonly option: string;
  /** More than this is some other file. */
  readonly maxOctets: number;
}

const commandTimeoutMs = 120_000;

/** @throws ConfigurationError for a file that others may read, or that cannot be read */
export async function firstLineOfFile(
  path: string,
  { option, maxOctets }: SecretPlace,
): Promise<Buffer> {
  let file;
  try {
    file = await open(path, 'r');
    const stats = await file.stat();
    if (stats.isFile() && (stats.mode & 0o007) !== 0) {
      throw new ConfigurationError(`${path} can be read by others: chmod 600 ${path}`);
    }
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxOctets), 0, maxOctets);
    return firstLine(buffer.subarray(0, bytesRead));
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    throw new ConfigurationError(`${option}: ${path}: ${systemWords(error)}`);
  } finally {
    await file?.close();
  }
}

export interface CommandOptions {
  /** On top of this process's, without its secrets. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Ends the command when it aborts. */
  readonly signal?: AbortSignal;
}

/**
 * @throws TemporaryError when the command fails, ConfigurationError when it does so with the
 *   status of what is permanent; the reason of `signal`
 */
export async function firstLineOfCommand(
  command: string,
  { option, maxOctets }: SecretPlace,
  { environment = {}, signal }: CommandOptions = {},
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      '/bin/sh',
      ['-c', command],
      {
        env: { ...process.env, POP3GET_PASSWORD: '', POP3GET_TOKEN: '', ...environment },
        encoding: 'buffer',
        ...{ timeout: commandTimeoutMs, maxBuffer: maxOctets },
        ...(signal === undefined ? {} : { signal }),
      },
      (error, stdout) => {
        if (error === null) resolve(firstLine(stdout));
        else if (signal?.aborted === true) reject(signal.reason as Error);
        else {
          // The error's message holds the command, which may hold a secret.
          const how =
            typeof error.code === 'number'
              ? `exit status ${error.code}`
              : `ended by ${error.signal ?? String(error.code)}`;
          const message = `${option} failed (${how}): run it by hand to see why`;
          const isLasting = error.code === exitCode.permanent;
          reject(isLasting ? new ConfigurationError(message) : new TemporaryError(message));
        }
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
 * secret.
 */
function firstLine(octets: Buffer): Buffer {
  const start = octets.indexOf(byteOrderMark) === 0 ? byteOrderMark.length : 0;
  const end = octets.findIndex((octet) => octet === 0x0a || octet === 0x0d);
  return octets.subarray(start, end === -1 ? octets.length : end);
}
