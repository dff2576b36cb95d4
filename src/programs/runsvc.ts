#!/usr/bin/env node
// runsvc: runs a service from a run file in the foreground. runsvc(8).

import '../system/program/refuse-debugger.js';
import { constants } from 'node:os';
import { inheritedEnvironment } from '../run-file/inherited-environment.js';
import { ProgramKeeper } from '../run-file/keep-running.js';
import { exitCode } from '../system/failures/exit-code.js';
import { closeInheritedDescriptors } from '../system/descriptors/inherited-descriptors.js';
import { openLog } from '../system/log/log.js';
import { logOptionsFrom, logOptionTable } from '../system/program/log-options.js';
import { runProgram } from '../system/program/program.js';

/** What shells add to the number of the signal that ended a program. */
const signalBase = 128;

void runProgram(
  {
    name: 'runsvc',
    synopsis: '[options] RUNFILE [NAME [PARAMETER...]]',
    purpose: 'Runs the program that a run file describes, and starts it again when it ends.',
    options: {
      once: { kind: 'flag', help: 'run it once and exit with its status' },
      ...logOptionTable,
    },
    positionals: [1, 10],
  },
  async ({ options, positionals: [runFile = '', ...parameters] }) => {
    closeInheritedDescriptors([]);
    const log = await openLog(logOptionsFrom('runsvc', options));
    const keeper = new ProgramKeeper(
      runFile,
      {
        inherited: inheritedEnvironment(process.env),
        facts: new Map(),
        parameters,
        directory: process.cwd(),
      },
      log,
    );
    if (options.once === true) {
      const { status, signal } = await keeper.runOnce();
      await log.flush(1000);
      process.exitCode = status ?? signalBase + (signal === null ? 0 : constants.signals[signal]);
      return undefined;
    }
    await keeper.runUntilStopped();
    await log.flush(1000);
    return exitCode.ok;
  },
);
