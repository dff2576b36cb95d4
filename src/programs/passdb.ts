#!/usr/bin/env node
// passdb: edits and checks the password database. What its commands do is in
// src/auth/passdb/passdb-commands.ts.

import '../system/program/refuse-debugger.js';
import {
  addAppPassword,
  listAppPasswords,
  removeAppPassword,
} from '../auth/passdb/app-password-commands.js';
import { exportUsers, importUsers } from '../auth/passdb/file-commands.js';
import * as read from '../auth/passdb/passdb-arguments.js';
import * as passdb from '../auth/passdb/passdb-commands.js';
import { exitCode, type ExitCode } from '../system/failures/exit-code.js';
import { UsageError } from '../system/failures/failures.js';
import { runProgram } from '../system/program/program.js';

interface Command {
  /** What goes with it beside the options that all have. */
  readonly options?: readonly (keyof read.GivenOptions)[];
  readonly run: (given: read.Given) => Promise<ExitCode> | ExitCode;
}

const commands: Readonly<Record<string, Command>> = {
  add: {
    options: ['scheme'],
    run: (given) => passdb.add(given.context, read.newNameIn(given), read.schemeIn(given)),
  },
  set: {
    options: ['scheme'],
    run: (given) => passdb.setPassword(given.context, read.nameIn(given), read.schemeIn(given)),
  },
  remove: { run: (given) => passdb.change(given.context, read.nameIn(given), 'remove') },
  disable: { run: (given) => passdb.change(given.context, read.nameIn(given), 'disable') },
  enable: { run: (given) => passdb.change(given.context, read.nameIn(given), 'enable') },
  list: { run: (given) => passdb.list(given.context, read.onlyIn(given)) },
  check: {
    options: ['passdb-query'],
    run: (given) => passdb.check(given.context, read.nameIn(given), read.askedIn(given)),
  },
  schemes: { run: (given) => passdb.listSchemes(read.withoutArgument(given)) },
  import: {
    options: ['format', 'default-domain', 'replace', 'scheme'],
    run: (given) => importUsers(given.context, read.importIn(given)),
  },
  export: {
    options: ['format', 'default-domain'],
    run: (given) =>
      exportUsers(
        read.withoutArgument(given),
        read.formatIn(given) ?? 'passwd',
        read.domainIn(given),
      ),
  },
  'app add': {
    options: ['label', 'expires', 'networks', 'read-only', 'days'],
    run: (given) => addAppPassword(given.context, read.nameIn(given), read.appPasswordIn(given)),
  },
  'app list': { run: (given) => listAppPasswords(given.context, read.onlyIn(given)) },
  'app remove': {
    options: ['label'],
    run: (given) => removeAppPassword(given.context, read.nameIn(given), read.neededLabelIn(given)),
  },
};

/** The environment may give the query to every command. */
const common: readonly string[] = ['passdb', 'passdb-query', 'allow-weak-schemes'];

void runProgram(
  {
    name: 'passdb',
    synopsis: '[options] COMMAND [user@domain|FILE]',
    purpose: `Edits the password database of pop3d. Commands: ${Object.keys(commands).join(', ')}. A password is asked for twice on a terminal, else read as one line of stdin.`,
    options: read.passdbOptions,
    positionals: [1, 3],
  },
  ({ options: given, positionals }) => {
    const words = positionals[0] === 'app' ? 2 : 1;
    const name = positionals.slice(0, words).join(' ');
    const [argument = null, unexpected] = positionals.slice(words);
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (name === 'app') throw new UsageError('app needs add, list or remove');
    if (command === undefined) throw new UsageError(`no such command "${name}"`);
    if (unexpected !== undefined) throw new UsageError(`unexpected argument "${unexpected}"`);
    requireFitting(name, command, given);
    const { stdin: input, stdout: output, stderr: prompts } = process;
    output.on('error', noticeLostOutput);
    prompts.on('error', () => undefined);
    const context = {
      source: read.sourceFor(name, given),
      allowsWeakSchemes: given['allow-weak-schemes'] ?? false,
      input,
      output,
      prompts,
    };
    return command.run({ command: name, context, argument, options: given });
  },
);

function requireFitting(name: string, command: Command, given: read.GivenOptions): void {
  for (const [option, value] of Object.entries(given)) {
    const fits =
      common.includes(option) ||
      (command.options as readonly string[] | undefined)?.includes(option);
    if (value === undefined || fits === true) continue;
    const others = Object.keys(commands).filter((other) =>
      (commands[other]?.options as readonly string[] | undefined)?.includes(option),
    );
    throw new UsageError(`option --${option} goes with ${others.join(' and ')}, not with ${name}`);
  }
}

/** A reader that has seen enough is no failure; a full disk is. */
function noticeLostOutput(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') return;
  process.stderr.write(`passdb: temporary failure: standard output: ${error.message}\n`);
  process.exitCode = exitCode.temporary;
}
