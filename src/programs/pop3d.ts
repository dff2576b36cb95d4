#!/usr/bin/env node
// pop3d: one POP3 session on stdin and stdout or on a passed socket, or many as a kept worker of
// tcpsrun. pop3d(8). What the greeting does not need is loaded after it: a client on a slow machine
// sees an answer at once.

import '../system/program/refuse-debugger.js';
import { writeSync } from 'node:fs';
import { greetingWith } from '../pop3-server/texts/greeting.js';
import {
  pop3dOptions,
  tlsFilesFrom,
  type Pop3dOptionValues,
} from '../pop3-server/serving/pop3d-options.js';
import { exitCode, type ExitCode } from '../system/failures/exit-code.js';
import { tryWholeNumber } from '../system/program/options.js';
import { runProgram } from '../system/program/program.js';
import { UsageError } from '../system/failures/failures.js';

void runProgram(
  {
    name: 'pop3d',
    synopsis: '[options] [socket]',
    purpose: 'Serves one POP3 session on stdin and stdout, or on the passed socket.',
    options: pop3dOptions,
    positionals: [0, 1],
  },
  async ({ options: given, positionals: [socket] }) => {
    const fd = socket === undefined ? undefined : tryWholeNumber(socket, 0, 1_048_576);
    if (fd === null) {
      throw new UsageError(`the socket must be a descriptor number, not "${socket ?? ''}"`);
    }
    if (process.send !== undefined) {
      const { servePop3Worker } = await import('../pop3-server/serving/pop3-worker.js');
      if (await servePop3Worker(given)) return exitCode.ok;
    }
    return serveOne(given, fd);
  },
);

async function serveOne(given: Pop3dOptionValues, fd: number | undefined): Promise<ExitCode> {
  if (given.accesslevel === 0) return exitCode.ok;
  const tls = tlsFilesFrom(given);
  const apopTimestamp = given.apop === true ? await makeTimestamp() : null;
  if (mayBeMistaken(given)) {
    const { requirePlaces } = await import('../pop3-server/serving/place-options.js');
    await requirePlaces(given);
  }
  // What TLS needs may be wrong, and is loaded before a word is said.
  const isGreeted = tls === null && tryGreet(fd ?? 1, greetingWith(apopTimestamp));
  const { servePop3Process } = await import('../pop3-server/serving/pop3-process.js');
  await servePop3Process({ given, fd, isGreeted, apopTimestamp });
  return exitCode.ok;
}

/** A plain file of accounts cannot be: most clients are greeted without a look at the rest. */
function mayBeMistaken({ passdb = [], ...given }: Pop3dOptionValues): boolean {
  const options = [given.maildrop, given['dovecot-control'], given['passdb-query']];
  return options.some((value) => value !== undefined) || passdb.some((name) => name.includes(':'));
}

async function makeTimestamp(): Promise<string> {
  const { makeApopTimestamp } = await import('../pop3-server/texts/apop-timestamp.js');
  return makeApopTimestamp();
}

/**
 * Writes the greeting at once. Where that does not work the session will, or will find out why not.
 */
function tryGreet(fd: number, greeting: string): boolean {
  try {
    return writeSync(fd, greeting) === greeting.length;
  } catch {
    return false;
  }
}
