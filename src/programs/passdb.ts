#!/usr/bin/env node
// passdb: edits and checks the password database. What its commands do is in
// src/auth/passdb/passdb-commands.ts.

import '../system/program/refuse-debugger.js';
import { tryLoginName, type LoginName } from '../auth/accounts/login-name.js';
import * as passdb from '../auth/passdb/passdb-commands.js';
import { writableSchemes, type WritableScheme } from '../auth/stored/make-password.js';
import { exitCode, type ExitCode } from '../system/failures/exit-code.js';
import { type OptionTable } from '../system/program/options.js';
import { runProgram } from '../system/program/program.js';
import { UsageError } from '../system/failures/failures.js';

const options = {
  passdb: {
    kind: 'text',
    value: 'FILE',
    env: 'PASSDB',
    help: 'the password database (passdb.sqlite)',
  },
  'allow-weak-schemes': {
    kind: 'flag',
    env: 'ALLOW_WEAK_SCHEMES',
    help: 'verify weak stored passwords too: MD5-CRYPT, DES-CRYPT, SSHA, SHA and others',
  },
  scheme: {
    kind: 'text',
    value: 'SCHEME',
    help: 'how add and set store the password (ARGON2ID); see passdb schemes',
  },
} as const satisfies OptionTable;

interface Given {
  readonly command: string;
  readonly context: passdb.PassdbContext;
  /** The second argument; null when there is none. */
  readonly address: string | null;
  readonly scheme: string | undefined;
}

const commands: Readonly<Record<string, (given: Given) => Promise<ExitCode> | ExitCode>> = {
  add: (given) => passdb.add(given.context, newNameIn(given), schemeIn(given)),
  set: (given) => passdb.setPassword(given.context, nameIn(given), schemeIn(given)),
  remove: (given) => passdb.change(given.context, nameIn(given), 'remove'),
  disable: (given) => passdb.change(given.context, nameIn(given), 'disable'),
  enable: (given) => passdb.change(given.context, nameIn(given), 'enable'),
  list: (given) => passdb.list(given.context, given.address === null ? null : nameIn(given)),
  check: (given) => passdb.check(given.context, nameIn(given)),
  schemes: (given) => passdb.listSchemes(given.context),
};

void runProgram(
  {
    name: 'passdb',
    synopsis: `[options] ${Object.keys(commands).join('|')} [user@domain]`,
    purpose:
      'Edits the password database of pop3d. A password is asked for twice on a terminal, else read as one line of stdin.',
    options,
    positionals: [1, 2],
  },
  async ({
    options: { passdb: file, scheme, ...given },
    positionals: [command = '', address = null],
  }) => {
    const run = Object.hasOwn(commands, command) ? commands[command] : undefined;
    if (run === undefined) throw new UsageError(`no such command "${command}"`);
    if (scheme !== undefined && command !== 'add' && command !== 'set') {
      throw new UsageError(`option --scheme goes with add and set, not with ${command}`);
    }
    if (address !== null && command === 'schemes') {
      throw new UsageError(`unexpected argument "${address}"`);
    }
    const { stdin: input, stdout: output, stderr: prompts } = process;
    output.on('error', noticeLostOutput);
    prompts.on('error', () => undefined);
    const context = {
      file: file ?? 'passdb.sqlite',
      allowsWeakSchemes: given['allow-weak-schemes'] ?? false,
      input,
      output,
      prompts,
    };
    return run({ command, context, address, scheme });
  },
);

/** A reader that has seen enough is no failure; a full disk is. */
function noticeLostOutput(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') return;
  process.stderr.write(`passdb: temporary failure: standard output: ${error.message}\n`);
  process.exitCode = exitCode.temporary;
}

function nameIn({ command, address }: Given): LoginName {
  if (address === null) throw new UsageError(`${command} needs a user@domain`);
  const name = tryLoginName(Buffer.from(address), undefined);
  if (name === null) throw new UsageError(`"${address}" is not a user@domain`);
  return name;
}

/** Blanks at the ends would not be seen, and no client would send them. */
function newNameIn(given: Given): LoginName {
  const name = nameIn(given);
  if ([name.user, name.domain].some((part) => part.trim() !== part)) {
    throw new UsageError(`"${given.address ?? ''}" has blanks at an end of a name`);
  }
  return name;
}

function schemeIn({ scheme }: Given): WritableScheme {
  const wanted = scheme ?? writableSchemes[0];
  const known = writableSchemes.find((name) => name === wanted.toUpperCase());
  if (known === undefined) {
    throw new UsageError(`option --scheme must be one of ${writableSchemes.join(', ')}`);
  }
  return known;
}
