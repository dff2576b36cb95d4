// A pool of one worker without a launcher: the test hands it connections, and sees who serves them.

import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';
import { tryConnectionFacts } from '../../../src/launcher/handing-over/connection-facts.js';
import type { Session } from '../../../src/launcher/handing-over/hand-over.js';
import { processPerConnection } from '../../../src/launcher/handing-over/process-per-connection.js';
import { WorkerPool } from '../../../src/launcher/handing-over/worker-pool.js';
import type { WorkerTimes } from '../../../src/launcher/handing-over/worker-process.js';
import type { LogFields } from '../../../src/system/log/log-line.js';
import { makeSocketPair } from '../sessions/socket-pair.js';
import { deadline, poll } from '../suite/deadline.js';
import { cleanEnvironment } from './clean-environment.js';
import { recordingLog } from './recording-log.js';
import { builtProgram } from './run-program.js';

export interface Pool {
  /** Pids of the workers started so far, in order. */
  readonly started: () => readonly number[];
  /** The fields of the first such line of the log. */
  readonly logged: (event: string) => Promise<LogFields>;
  /** Hands a new connection over. @returns the client's end, and who serves it */
  readonly serve: () => Promise<{ readonly client: Socket; readonly session: Promise<Session> }>;
}

/** @param worker one of test/support/programs, and its argument */
export function startWorkerPool(
  t: Test,
  worker: readonly [name: string, argument: string],
  times: WorkerTimes,
): Pool {
  const [name, argument] = worker;
  const runFile = join(t.testdir({}), 'test.run');
  const words = ['node', builtProgram(`test/support/programs/${name}.js`), argument];
  const lines = words.map((word) => `argument "${word}"\n`).join('');
  writeFileSync(runFile, `program ${process.execPath}\n${lines}`);
  const service = {
    runFile,
    port: '0',
    inherited: new Map(Object.entries(cleanEnvironment())),
    directory: process.cwd(),
  };
  const { log, lines: logLines } = recordingLog();
  const pool = new WorkerPool({
    service,
    log,
    workerCount: 1,
    sessionsPerWorker: 0,
    otherwise: processPerConnection(service),
    times,
  });
  const started = (): number[] =>
    logLines.filter(({ event }) => event === 'worker').map(({ fields }) => Number(fields['pid']));
  pool.start();
  t.teardown(() => {
    pool.close();
    for (const pid of started()) killIfThere(pid);
  });
  return {
    started,
    logged: (event) =>
      poll(`a line ${event}`, () =>
        Promise.resolve(logLines.find((line) => line.event === event)?.fields),
      ),
    serve: async () => {
      const { client, server } = await makeSocketPair();
      t.teardown(() => {
        client.destroy();
        server.destroy();
      });
      const facts = tryConnectionFacts(server);
      if (facts === null) throw new Error('no addresses');
      const standing = {
        level: 1,
        source: facts.remote.address.text,
        failures: { count: 0, owedMs: 0 },
        hear: () => undefined,
        onNoRoom: () => undefined,
      };
      return { client, session: pool.serve({ socket: server, facts, ...standing }) };
    },
  };
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** All that comes until the connection is closed, or until there is a line. */
export async function firstLine(client: Socket): Promise<string> {
  let received = '';
  const line = new Promise<string>((resolve) => {
    client.setEncoding('latin1').on('data', (text: string) => {
      received += text;
      if (received.includes('\n')) resolve(received);
    });
    client.on('close', () => {
      resolve(received);
    });
  });
  return deadline(line, 20_000, () => 'no line came');
}

/** Serves connections until one is a worker's: before one is ready, each has a process of its own. */
export async function untilServedByWorker(
  pool: Pool,
): Promise<{ pid: number; client: Socket; ended: unknown }> {
  return poll('a worker to serve', async () => {
    const { client, session } = await pool.serve();
    const { pid, ended } = await session;
    await firstLine(client);
    if (pool.started().includes(pid)) return { pid, client, ended };
    client.destroy();
    return undefined;
  });
}
