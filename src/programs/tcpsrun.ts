#!/usr/bin/env node
// tcpsrun: accepts connections on one address and port and starts a program for each. tcpsrun(8).

import { inheritedEnvironment } from '../run-file/inherited-environment.js';
import { withoutConnectionVariables } from '../launcher/connection-facts.js';
import { spawnPerConnection } from '../launcher/hand-over.js';
import { Launcher } from '../launcher/launcher.js';
import { listen } from '../launcher/listener.js';
import { parsePort } from '../launcher/service-name.js';
import { exitCode } from '../system/exit-code.js';
import { logOptionsFrom, logOptionTable, openLog } from '../system/log.js';
import { runProgram } from '../system/program.js';

await runProgram(
  {
    name: 'tcpsrun',
    synopsis: '[options] address port runfile',
    purpose: 'Accepts connections and starts the program that the run file describes for each.',
    options: {
      ...logOptionTable,
    },
    positionals: [3, 3],
  },
  async ({ options, positionals: [address = '', port = '', runFile = ''] }) => {
    const log = await openLog(logOptionsFrom('tcpsrun', options));
    const launcher = new Launcher({
      log,
      handOver: spawnPerConnection({
        runFile,
        port,
        inherited: withoutConnectionVariables(inheritedEnvironment(process.env)),
        directory: process.cwd(),
      }),
      judge: () => ({ level: 1, line: undefined }),
      limits: { concurrency: 40, perSource: 40, held: 128 },
      denied: 'closed',
    });
    const listener = await listen(
      { address, port: parsePort(port), backlog: 128, fd: undefined },
      (socket) => launcher.accept(socket),
      (error) => log.write('error', { where: 'accept', why: error.message }),
    );
    log.write('listening', { address: listener.address, port: listener.port });
    await new Promise<void>((resolve) => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
    });
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.on(signal, () => process.exit(exitCode.ok));
    listener.close();
    log.write('stopping', { ...launcher.counters });
    await launcher.stop();
    log.write('stopped', { ...launcher.counters });
    await log.flush(1000);
    return exitCode.ok;
  },
);
