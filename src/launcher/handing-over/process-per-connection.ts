// Starts a program for each connection, as inetd does, and gives the connection to it.

import type { Socket } from 'node:net';
import { startProgram, type StartedProgram } from '../../run-file/start-program.js';
import type { HandOver } from './hand-over.js';
import { hearNews } from './news-channel.js';
import { planLaunch, type Service } from './run-file-parameters.js';

/** Not SIGTERM: a program whose client has logged in meanwhile must know this from its own end. */
const evictionSignal = 'SIGUSR2';

/** A program that has neither ended nor reported a login within this time gets SIGKILL. */
const evictionGraceMs = 1000;

export function processPerConnection(service: Service): HandOver {
  return {
    isCostly: true,
    serve: async (connection) => {
      const { socket, facts, hear } = connection;
      const { launch, passesNumber, passesNewsChannel } = planLaunch(service, facts, connection);
      // libuv makes 0 and 1 blocking, as programs expect that know nothing of sockets. It leaves
      // other numbers as they are.
      const stdio: ('inherit' | 'pipe' | Socket)[] = passesNumber
        ? ['inherit', 'inherit', 'inherit', socket]
        : [socket, socket, 'inherit'];
      if (passesNewsChannel) stdio.push('pipe');
      const program = await startProgram(launch, stdio);
      // Not end(): shutdown(2) would close the connection for the program as well.
      socket.destroy();
      const { pid, ended } = program;
      const kick = (): void => program.kill('SIGTERM');
      if (!passesNewsChannel) return { pid, ended, evict: undefined, kick, isStarting: false };
      let hasLoggedIn = false;
      hearNews(program, stdio.length - 1, (news) => {
        hasLoggedIn ||= news.what === 'login';
        hear(news);
      });
      const evict = (): void => void evictProgram(program, () => hasLoggedIn);
      return { pid, ended, evict, kick, isStarting: true };
    },
  };
}

async function evictProgram(program: StartedProgram, hasLoggedIn: () => boolean): Promise<void> {
  program.kill(evictionSignal);
  const timer = setTimeout(() => {
    if (!hasLoggedIn()) program.kill('SIGKILL');
  }, evictionGraceMs);
  await program.ended;
  clearTimeout(timer);
}
