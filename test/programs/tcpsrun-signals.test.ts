// tcpsrun told to stop, to read again and to report.

import t from 'tap';
import { poll } from '../support/suite/deadline.js';
import { greeter, startTcpsrun } from '../support/programs/tcpsrun-fixture.js';

/** Waits for the process itself; its log stays open as long as its sessions do. */
async function untilGone(pid: number): Promise<void> {
  await poll(`process ${pid} to be gone`, () => {
    try {
      process.kill(pid, 0);
      return Promise.resolve(undefined);
    } catch {
      return Promise.resolve(true);
    }
  });
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`${signal} lets 20 sessions finish, refuses new clients, and ends with 0`, async (t) => {
    const { connect, program } = await startTcpsrun(t, { runFile: greeter });
    const sessions = Array.from({ length: 20 }, () => connect());
    await Promise.all(sessions.map((client) => client.firstLine()));
    program.kill(signal);
    await program.logLine(/stopping accepted=20 .*running=20/);
    t.equal((await connect().end()).error, 'ECONNREFUSED');
    const endings = await Promise.all(
      sessions.map((client, number) => {
        client.socket.end(`client ${number}\n`);
        return client.end();
      }),
    );
    for (const [number, { received }] of endings.entries()) {
      t.match(received, new RegExp(`\nbye client ${number}\n$`));
    }
    t.same(await program.ending, { status: 0, signal: null });
    t.match(program.stderr, /stopped accepted=20 served=20 .*running=0 held=0\n$/);
  });
}

t.test('clients that wait are closed and logged when it stops', async (t) => {
  const { connect, program } = await startTcpsrun(t, {
    runFile: greeter,
    options: ['--concurrency', '1'],
  });
  const first = connect();
  await first.firstLine();
  const waiting = connect();
  await poll('both to be accepted', () => {
    program.kill('SIGUSR1');
    return Promise.resolve(/counters accepted=2 /.test(program.stderr) ? true : undefined);
  });
  program.kill('SIGTERM');
  t.equal((await waiting.end()).received, '');
  await program.logLine(/refuse .* why=stopping/);
  first.socket.end('x\n');
  t.same(await program.ending, { status: 0, signal: null });
});

t.test('a second signal ends it at once, and the sessions go on', async (t) => {
  const { connect, program } = await startTcpsrun(t, { runFile: greeter });
  const client = connect();
  await client.firstLine();
  program.kill('SIGTERM');
  await program.logLine(/stopping/);
  program.kill('SIGTERM');
  await untilGone(program.pid);
  client.socket.end('still here\n');
  t.match((await client.end()).received, /bye still here\n$/);
  t.same(await program.ending, { status: 0, signal: null });
});

// SIGQUIT is left as the system has it: at once, with a core where cores are kept.
for (const signal of ['SIGKILL', 'SIGQUIT'] as const) {
  t.test(`sessions survive a launcher that ${signal} ends`, async (t) => {
    const { connect, program } = await startTcpsrun(t, { runFile: greeter });
    const client = connect();
    await client.firstLine();
    program.kill(signal);
    await untilGone(program.pid);
    client.socket.end('still here\n');
    t.match((await client.end()).received, /bye still here\n$/);
  });
}

t.test('SIGHUP reads the rules and says so; without rules it does no harm', async (t) => {
  const withRules = await startTcpsrun(t, { runFile: greeter, rules: 'default 1\n' });
  withRules.program.kill('SIGHUP');
  await withRules.program.logLine(/rules file=rules$/);
  const without = await startTcpsrun(t, { runFile: greeter });
  without.program.kill('SIGHUP');
  t.match(await without.connect().firstLine(), /^\+OK/);
});
