// tcpsrun --metrics: the file that Prometheus' textfile collector reads.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { poll } from '../support/suite/deadline.js';
import { readMetrics } from '../support/peers/prometheus-text.js';
import { runProgram } from '../support/programs/run-program.js';
import {
  counters,
  shellRunFile,
  startTcpsrun,
  type Tcpsrun,
} from '../support/programs/tcpsrun-fixture.js';
import { testFolder } from '../support/suite/test-folder.js';

function valuesIn({ directory }: Tcpsrun): Record<string, number> {
  const metrics = readMetrics(readFileSync(join(directory, 'tcpsrun.prom'), 'utf8'));
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
}

t.test('SIGUSR1 writes what the log line says, and the end writes it again', async (t) => {
  const tcpsrun = await startTcpsrun(t, {
    runFile: shellRunFile('echo failed-login >&%5; echo login >&%5; echo hello; read line'),
    rules: '127.0.0.1 1\n',
    options: ['--metrics', 'tcpsrun.prom'],
  });
  const file = join(tcpsrun.directory, 'tcpsrun.prom');
  t.notOk(existsSync(file), 'nobody has asked yet');
  await tcpsrun.connect('127.0.0.9').end();
  const client = tcpsrun.connect();
  await client.firstLine();
  await poll('the login to be counted', async () =>
    (await counters(tcpsrun))['logins'] === 1 ? true : undefined,
  );
  t.match(valuesIn(tcpsrun), {
    tcpsrun_connections_accepted_total: 2,
    tcpsrun_connections_served_total: 1,
    tcpsrun_connections_denied_total: 1,
    tcpsrun_logins_total: 1,
    tcpsrun_failed_logins_total: 1,
    tcpsrun_sessions_running: 1,
  });
  const started = valuesIn(tcpsrun)['tcpsrun_start_time_seconds'] ?? 0;
  t.ok(Math.abs(started - Date.now() / 1000) < 60, 'seconds since 1970');
  tcpsrun.program.kill('SIGTERM');
  client.socket.end('bye\n');
  t.equal((await tcpsrun.program.ending).status, 0);
  t.match(valuesIn(tcpsrun), { tcpsrun_sessions_running: 0 });
  t.same(
    readdirSync(tcpsrun.directory).filter((name) => name.startsWith('tcpsrun.prom')),
    ['tcpsrun.prom'],
    'nothing is left beside it',
  );
});

t.test('a collector never sees half of it', async (t) => {
  const tcpsrun = await startTcpsrun(t, {
    runFile: shellRunFile('echo hello'),
    options: ['--metrics', 'tcpsrun.prom'],
  });
  await counters(tcpsrun);
  const counts: number[] = [];
  for (let round = 0; round < 100; round += 1) {
    tcpsrun.program.kill('SIGUSR1');
    for (let read = 0; read < 5; read += 1) {
      counts.push(Object.keys(valuesIn(tcpsrun)).length);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  t.same(new Set(counts), new Set([11]));
  // It writes the file until it ends, which nobody may do in a folder that the test removes.
  tcpsrun.program.kill('SIGTERM');
  t.equal((await tcpsrun.program.ending).status, 0);
});

t.test('a file that cannot be written costs a line in the log', async (t) => {
  const tcpsrun = await startTcpsrun(t, {
    runFile: shellRunFile('echo hello'),
    options: ['--metrics', 'missing/tcpsrun.prom'],
  });
  t.match(await counters(tcpsrun), { accepted: 0 });
  await tcpsrun.program.logLine(/warning why=".*--metrics: .*: no such file/);
  t.equal((await tcpsrun.connect().end()).received, 'hello\n');
});

t.test('a file that never could be written ends it at the start with 100', async (t) => {
  const cwd = testFolder(t, { 'test.run': shellRunFile('echo hello'), folder: {} });
  for (const file of ['', 'folder']) {
    const args = ['--metrics', file, '127.0.0.1', '0', 'test.run'];
    const { status, stderr } = await runProgram(t, 'tcpsrun', args, { cwd });
    t.equal(status, 100);
    t.match(stderr, /^tcpsrun: fatal: option --metrics: .*\n$/);
  }
  t.same(readdirSync(cwd).sort(), ['folder', 'test.run'], 'nothing is left');
});
