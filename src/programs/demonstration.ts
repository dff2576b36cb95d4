#!/usr/bin/env node
// `npm start`: serves a small mail root on the loopback interface and says how to read it.

import '../system/program/refuse-debugger.js';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  demonstrationAddress,
  demonstrationPassword,
  makeDemonstrationMailRoot,
} from '../demonstration/mail-root.js';
import { serveDemonstration } from '../demonstration/serve.js';
import { exitCode } from '../system/failures/exit-code.js';
import { runProgram } from '../system/program/program.js';
import { TemporaryError } from '../system/failures/failures.js';

const program = (name: string): string => fileURLToPath(new URL(`./${name}.cjs`, import.meta.url));
const inCheckout = (path: string): string =>
  fileURLToPath(new URL(`../../../${path}`, import.meta.url));

void runProgram(
  {
    name: 'demonstration',
    synopsis: '[options]',
    purpose: 'Serves a demonstration maildrop over POP3 on 127.0.0.1 until Ctrl-C.',
    options: {
      port: { kind: 'number', value: 'N', min: 0, max: 65_535, help: 'port to serve (1110)' },
      directory: {
        kind: 'text',
        value: 'DIR',
        help: 'mail root to serve, made when it does not exist (demo/ in the checkout)',
      },
    },
    positionals: [0, 0],
  },
  async ({ options }) => {
    const mailRoot = resolve(options.directory ?? inCheckout('demo'));
    const wantedPort = options.port ?? 1110;
    const isNew = makeDemonstrationMailRoot(mailRoot, program('passdb'));
    const status = await serveDemonstration({
      mailRoot,
      port: wantedPort,
      tcpsrun: program('tcpsrun'),
      pop3d: program('pop3d'),
      runFile: inCheckout('run/pop3.run'),
      onListening: (port) => {
        process.stdout.write(describe(mailRoot, isNew, port));
      },
    });
    if (status !== null) {
      throw new TemporaryError(
        `nothing is served: tcpsrun ended with ${status}. If port ${wantedPort} is taken: npm start -- --port 0`,
      );
    }
    process.stdout.write('\nThe demonstration has ended.\n');
    return exitCode.ok;
  },
);

function describe(mailRoot: string, isNew: boolean, port: number): string {
  const curl = `curl -u ${demonstrationAddress}:${demonstrationPassword} pop3://127.0.0.1:${port}/`;
  return `
Serving ${mailRoot}${isNew ? ' (made just now)' : ''} over POP3 on 127.0.0.1 port ${port}.
User ${demonstrationAddress}, password ${demonstrationPassword}. In another terminal:

  list the messages   ${curl}
  read the second     ${curl}2

Or type a session yourself: telnet 127.0.0.1 ${port}
Log lines follow. Ctrl-C ends it.

`;
}
