// What every program does the same way: help, version, usage errors, exit codes.

import { existsSync, writeSync } from 'node:fs';
import { exitCode, type ExitCode } from '../failures/exit-code.js';
import {
  asksFor,
  findMistakenOption,
  parseCommandLine,
  type CommandLine,
  type OptionTable,
} from './options.js';
import type { ProgramDescription } from './help.js';
import { isSameFile } from '../descriptors/same-file.js';
import { isStderrSilenced } from '../descriptors/silenced-stderr.js';
import type { LineSink } from '../log/stderr-sink.js';
import { UsageError } from '../failures/failures.js';

/**
 * Parses this process's command line and runs the program.
 *
 * `--help` (also `/HELP`, and `/?` as the first argument) and `--version` print to stdout and exit
 * 0. Usage errors print two lines to stderr and exit 100. What `main` resolves to becomes the exit
 * status once the event loop is empty; undefined leaves it as it is, for programs that end
 * themselves. Should the event loop be empty before, the status is 111: never success for what was
 * not done.
 */
export async function runProgram<T extends OptionTable>(
  description: ProgramDescription<T>,
  main: (commandLine: CommandLine<T>) => Promise<ExitCode | undefined> | ExitCode | undefined,
): Promise<void> {
  const argv = process.argv.slice(2);
  const noticeUnfinished = (): void => {
    process.exitCode = exitCode.temporary;
    void complain(description.name, 'internal error: it ended before it was done');
  };
  process.once('beforeExit', noticeUnfinished);
  try {
    if (argv[0] === '/?' || asksFor('help', description.options, argv)) {
      const { formatHelp } = await import('./help.js');
      printText(description.name, formatHelp(description));
      return;
    }
    if (asksFor('version', description.options, argv)) {
      const { readVersion } = await import('./version.js');
      printText(description.name, `${description.name} ${readVersion()}\n`);
      return;
    }
    const commandLine = parseCommandLine(description.options, argv, process.env);
    const [min, max] = description.positionals;
    const { positionals } = commandLine;
    const { length } = positionals;
    const mistaken = findMistakenOption(argv, positionals, existsSync);
    const isCountWrong = length < min || length > max;
    const isNewFile = description.makesFirst === true && mistaken !== mistaken?.toUpperCase();
    if (mistaken !== undefined && (isCountWrong || !isNewFile)) {
      throw new UsageError(`unknown option ${mistaken.replace(/:.*/s, '')}, and no file`);
    }
    if (length < min) throw new UsageError(`too few arguments: ${description.synopsis}`);
    if (length > max) {
      throw new UsageError(`unexpected argument "${positionals[max] ?? ''}"`);
    }
    const status = await main(commandLine);
    // What could not be written to stdout may have been noticed before.
    if (status !== undefined) process.exitCode ||= status;
  } catch (error) {
    process.exitCode = await reportFailure(description.name, error);
  } finally {
    process.removeListener('beforeExit', noticeUnfinished);
  }
}

/**
 * Says what went wrong, without a stack trace for the errors that a person can mend. Goes by the
 * errors' names: a bundled program has these classes twice, once in the bundle.
 *
 * @returns the exit code it calls for
 */
export async function reportFailure(name: string, error: unknown): Promise<ExitCode> {
  const kind = error instanceof Error ? error.name : '';
  if (kind === 'UsageError') {
    await complain(name, messageOf(error), `see ${name} --help`);
    return exitCode.permanent;
  }
  if (kind === 'ConfigurationError' && !isShortage(error)) {
    await complain(name, `fatal: ${messageOf(error)}`);
    return exitCode.permanent;
  }
  if (kind === 'TemporaryError' || isShortage(error)) {
    await complain(name, `temporary failure: ${messageOf(error)}`);
    return exitCode.temporary;
  }
  const details = error instanceof Error ? (error.stack ?? error.message) : String(error);
  await complain(name, `internal error: ${details}`);
  return exitCode.temporary;
}

/**
 * Whether there were no more descriptors, in this process or on the machine: no fault of the
 * program nor of its configuration. Goes by the message: not every error that was made of the
 * system's has its code: some have its words, and the dynamic linker's never have more.
 */
function isShortage(error: unknown): boolean {
  return /: (?:EMFILE|ENFILE|Too many open files|File table overflow)\b/i.test(
    `: ${messageOf(error)}`,
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

let isStdoutWatched = false;

/**
 * Writes a program's result to stdout. A reader that has gone is no failure; anything else that
 * keeps the text from being written, such as a full disk, is reported and makes the exit status
 * 111.
 */
export function printText(program: string, text: string): void {
  if (!isStdoutWatched) {
    isStdoutWatched = true;
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') return;
      process.exitCode = exitCode.temporary;
      void complain(program, `temporary failure: cannot write to stdout: ${error.message}`);
    });
  }
  process.stdout.write(text);
}

/** Writes lines to stderr, or to syslog where the log is, or stderr is the connection (inetd). */
async function complain(program: string, ...texts: readonly string[]): Promise<void> {
  const lines = texts.map((text) => `${program}: ${escapeControls(text)}\n`);
  const isForSyslog = isSameFile(0, 2) || isStderrSilenced();
  let sink: LineSink;
  try {
    sink = isForSyslog
      ? (await import('../log/syslog.js')).spawnLogger(program)
      : await (await import('../log/stderr-sink.js')).openStderr(() => '');
  } catch {
    // With no free descriptor not even a module can be read.
    if (!isForSyslog) tryWriteToStderr(lines.join(''));
    return;
  }
  for (const line of lines) sink.write(line);
  await sink.flush(1000);
}

function tryWriteToStderr(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // Closed, full or gone.
  }
}

/** The message stays one line, also when an argument or a file name holds line feeds. */
function escapeControls(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => {
    return character === '\n'
      ? '\\n'
      : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
