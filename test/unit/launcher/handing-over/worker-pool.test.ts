// What the pool does with workers that keep it waiting. All else about it is in test/programs/tcpsrun-workers.test.ts.

import t from 'tap';
import {
  firstLine,
  startWorkerPool,
  untilServedByWorker,
} from '../../../support/programs/worker-pool-fixture.js';
import { deadline } from '../../../support/suite/deadline.js';

/** Far more than any test may take. */
const everMs = 600_000;

t.test(
  'a worker that says nothing to a connection in time is killed, and the next one serves it',
  async (t) => {
    const pool = startWorkerPool(t, ['line-worker', '+OK hello'], { takeMs: 300, readyMs: everMs });
    const { pid, ended } = await untilServedByWorker(pool);
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
  const pool = startWorkerPool(t, ['broken-worker', 'silent'], { takeMs: everMs, readyMs: 300 });
  const { pid, signal } = await pool.logged('worker-end');
  t.same([pid, signal], [pool.started()[0], 'SIGKILL']);
  t.match(await pool.logged('warning'), { retry: 0.1 });
  const { client } = await pool.serve();
  t.equal(await firstLine(client), '+OK a process of its own\n', 'and serves by itself');
});
