// What the pool does with workers that keep it waiting. All else about it is in test/programs/tcpsrun-workers.test.ts.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { tryConnectionFacts } from '../../../../src/launcher/handing-over/connection-facts.js';
import {
  spawnPerConnection,
  type Session,
} from '../../../../src/launcher/handing-over/hand-over.js';
import { WorkerPool } from '../../../../src/launcher/handing-over/worker-pool.js';
import type { WorkerTimes } from '../../../../src/launcher/handing-over/worker-process.js';
import type { LogFields } from '../../../../src/system/log/log-line.js';
import { cleanEnvironment } from '../../../support/programs/clean-environment.js';
import { deadline, poll } from '../../../support/suite/deadline.js';
import { builtProgram } from '../../../support/programs/run-program.js';
import { makeSocketPair } from '../../../support/sessions/socket-pair.js';

/** Far more than any test may take. */
const everMs = 600_000;

interface Pool {
  /** Pids of the workers started so far, in order. */
  readonly started: () => readonly number[];
  /** The fields of the first such line of the log. */
  readonly logged: (event: string) => Promise<LogFields>;
  /** Hands a new connection over. @returns the client's end, and who serves it */
  readonly serve: () => Promise<{ readonly client: Socket; readonly session: Promise<Session> }>;
}

/** @param worker one of test/support, and its argument */
function startPool(t: Test, worker: readonly [string, string], times: WorkerTimes): Pool {
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
  const log: { readonly event: string; readonly fields: LogFields }[] = [];
  const pool = new WorkerPool({
    service,
    log: {
      write: (event, fields = {}) => log.push({ event, fields }),
      flush: () => Promise.resolve(),
    },
    workerCount: 1,
    sessionsPerWorker: 0,
    otherwise: spawnPerConnection(service),
    times,
  });
  const started = (): number[] =>
    log.filter(({ event }) => event === 'worker').map(({ fields }) => Number(fields['pid']));
  t.teardown(() => {
    pool.close();
    for (const pid of started()) killIfThere(pid);
  });
  return {
    started,
    logged: (event) =>
      poll(`a line ${event}`, () =>
        Promise.resolve(log.find((line) => line.event === event)?.fields),
      ),
    serve: async () => {
      const { client, server } = await makeSocketPair();
      t.teardown(() => {
        client.destroy();
        server.destroy();
      });
      const facts = tryConnectionFacts(server);
      if (facts === null) throw new Error('no addresses');
      const standing = { level: 1, failedLogins: 0, hear: () => undefined };
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
async function firstLine(client: Socket): Promise<string> {
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
async function untilServedBy(pool: Pool): Promise<{ pid: number; client: Socket; ended: unknown }> {
  return poll('a worker to serve', async () => {
    const { client, session } = await pool.serve();
    const { pid, ended } = await session;
    await firstLine(client);
    if (pool.started().includes(pid)) return { pid, client, ended };
    client.destroy();
    return undefined;
  });
}

t.test(
  'a worker that says nothing to a connection in time is killed, and the next one serves it',
  async (t) => {
    const pool = startPool(t, ['line-worker', '+OK hello'], { takeMs: 300, readyMs: everMs });
    const { pid, ended } = await untilServedBy(pool);
    // It cannot even be told to end.
    process.kill(pid, 'SIGSTOP');
    const waiting = await pool.serve();
    t.equal(await firstLine(waiting.client), '+OK hello\n', 'which costs it no greeting');
    const session = await deadline(waiting.session, 20_000, () => 'nobody took the connection');
    t.not(session.pid, pid);
    t.ok(pool.started().includes(session.pid), 'it is a worker’s');
    t.match(await pool.logged('worker-end'), { pid, signal: 'SIGKILL' });
    t.match(await ended, { signal: 'SIGKILL' }, 'the sessions that it had end with it');
  },
);

t.test('a program that is not ready in time is killed', async (t) => {
  const pool = startPool(t, ['broken-worker', 'silent'], { takeMs: everMs, readyMs: 300 });
  const { pid, signal } = await pool.logged('worker-end');
  t.same([pid, signal], [pool.started()[0], 'SIGKILL']);
  t.match(await pool.logged('warning'), { retry: 0.1 });
  const { client } = await pool.serve();
  t.equal(await firstLine(client), '+OK a process of its own\n', 'and serves by itself');
});
