// A worker that is no POP3 server: answers lines, and misbehaves when a line tells it to. Started without a channel it
// serves the one connection at its descriptors 0 and 1, as any program of a run file.
// Its argument: what tcpsrun is to greet with; `-`: it greets by itself.

import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { noFailures } from '../../../src/worker/failed-logins.js';
import { workerSessions, runWorker, type HandedConnection } from '../../../src/worker/worker.js';

const own = '+OK by the session\n';
const [greeting = '-'] = process.argv.slice(2);

/** Set by a client, for the launcher to hear of with the next connection. */
let stale: string | null = null;

/** Takes memory until there is none. */
function grow(): void {
  const taken: object[] = [];
  for (;;) taken.push({ taken });
}

async function serve({
  socket,
  failLogin,
  tellLogin,
  onEvict,
  ...facts
}: HandedConnection): Promise<void> {
  const lines = createInterface({ input: socket });
  onEvict(() => {
    lines.close();
    socket.end('evicted\n', () => socket.destroy());
  });
  if (!facts.isGreeted) socket.write(greeting === '-' ? own : `${greeting}\n`);
  for await (const line of lines) {
    switch (line) {
      case 'facts':
        socket.write(`${JSON.stringify({ ...facts, pid: process.pid })}\n`);
        break;
      case 'throw':
        setImmediate(() => {
          throw new Error('uncaught on request');
        });
        break;
      case 'reject':
        throw new Error('rejected on request');
      case 'stale':
        stale = 'a client said so';
        socket.write('stale\n');
        break;
      case 'login':
        tellLogin();
        socket.write('told\n');
        break;
      case 'failed-login':
        failLogin(0, performance.now());
        socket.write('told\n');
        break;
      case 'failures':
        socket.write(`${facts.recentFailures().count}\n`);
        break;
      case 'grow':
        grow();
        break;
      case 'hang up':
        process.disconnect();
        socket.write('hung up\n');
        break;
      case 'bye':
        socket.end('bye\n');
        return;
      default:
        socket.write(`${process.pid} ${line}\n`);
    }
  }
  socket.end();
}

if (workerSessions(process.env) === null) {
  const socket = new Socket({ fd: 0, readable: true, writable: true, allowHalfOpen: true });
  await serve({
    ...{ socket, arguments: process.argv, environment: {}, isGreeted: false },
    ...{
      recentFailures: () => noFailures,
      failLogin: () => undefined,
      tellLogin: () => undefined,
      onEvict: () => undefined,
      onKick: () => undefined,
    },
  });
} else {
  // What cannot be written there would come as an uncaught error, and be reported, for ever.
  process.stderr.on('error', () => undefined);
  await runWorker({
    greeting: greeting === '-' ? null : `${greeting}\n`,
    reportsLogins: true,
    serve,
    whyStale: () => stale,
    report: (event, { error = '' }) => {
      process.stderr.write(`line-worker: ${event} ${error.split('\n', 1)[0] ?? ''}\n`);
    },
  });
}
