// The kinds of connection that pop3d can be started on, each with its client's end as one duplex stream.

import { join } from 'node:path';
import { Duplex } from 'node:stream';
import type { Test } from 'tap';
import { startProgram, type RunningProgram } from '../programs/run-program.js';
import { makeSocketPair } from './socket-pair.js';

export interface StartedOn {
  readonly program: RunningProgram;
  readonly connection: Duplex;
}

export interface Transport {
  readonly title: string;
  /** Starts pop3d in `cwd`. */
  readonly start: (t: Test, args: readonly string[], cwd: string) => Promise<StartedOn>;
}

const onSocket = (
  title: string,
  isUnix: 'TCP' | 'Unix',
  place: 'standard' | 'numbered',
): Transport => ({
  title,
  start: async (t, args, cwd) => {
    const pair = await makeSocketPair(isUnix === 'Unix' ? join(cwd, 'socket') : undefined);
    const fds = place === 'standard' ? [pair.server, pair.server] : [null, null, null, pair.server];
    const numbered = place === 'numbered' ? ['3'] : [];
    const program = startProgram(t, 'pop3d', [...args, ...numbered], { cwd, fds });
    pair.server.destroy();
    return { program, connection: pair.client };
  },
});

export const transports: readonly Transport[] = [
  onSocket('a TCP socket at 0 and 1', 'TCP', 'standard'),
  onSocket('a TCP socket at 3', 'TCP', 'numbered'),
  onSocket('a Unix socket at 0 and 1', 'Unix', 'standard'),
  onSocket('a Unix socket at 3', 'Unix', 'numbered'),
  {
    title: 'a pair of pipes',
    start: (t, args, cwd) => {
      const program = startProgram(t, 'pop3d', args, { cwd });
      const { stdout, stdin } = program;
      return Promise.resolve({
        program,
        connection: Duplex.from({ readable: stdout, writable: stdin }),
      });
    },
  },
];
