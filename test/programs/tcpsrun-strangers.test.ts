// Sessions that have not logged in give way to newcomers when all slots are taken, and failed logins are counted for each
// network: what programs tell tcpsrun over %5 or a worker's channel, and what it does with it.

import { availableParallelism } from 'node:os';
import t, { type Test } from 'tap';
import { poll } from '../support/suite/deadline.js';
import { builtProgram } from '../support/programs/run-program.js';
import {
  counters,
  shellRunFile,
  startTcpsrun,
  type Tcpsrun,
} from '../support/programs/tcpsrun-fixture.js';

/** Greets; the first line logs in, the second ends the session. */
const lineProgram = shellRunFile(
  'echo +OK $$; read line; echo login >&%5; echo told; read line; echo bye',
);

/** The same words, by a worker for which `login` is the line that logs in. */
const lineWorker =
  `program ${process.execPath}\nargument node\n` +
  `argument "${builtProgram('test/support/programs/line-worker.js')}"\nargument +OK\n`;

const ways = [
  { way: 'a process for each', runFile: lineProgram, options: [] },
  { way: 'a kept worker', runFile: lineWorker, options: ['--workers', '1'] },
] as const;

async function start(
  t: Test,
  { runFile, options }: (typeof ways)[number],
  more: readonly string[],
  rules?: string,
): Promise<Tcpsrun> {
  const tcpsrun = await startTcpsrun(t, {
    runFile,
    options: [...options, ...more],
    ...(rules === undefined ? {} : { rules }),
  });
  // Until it is ready, connections would get processes of their own.
  if (options.length > 0) await workerIsReady(tcpsrun);
  return tcpsrun;
}

async function workerIsReady(tcpsrun: Tcpsrun): Promise<void> {
  const [, pid = ''] = await tcpsrun.program.logLine(/: worker pid=([0-9]+)/);
  await poll('the worker to serve', async () => {
    const client = tcpsrun.connect();
    await client.firstLine();
    client.socket.end();
    await client.end();
    const isServing = new RegExp(`: connect .* pid=${pid}$`, 'm').test(tcpsrun.program.stderr);
    return isServing ? true : undefined;
  });
  await untilCounted(tcpsrun, { running: 0 });
}

async function untilCounted(
  tcpsrun: Tcpsrun,
  wanted: Readonly<Record<string, number>>,
): Promise<void> {
  await poll(`counters like ${JSON.stringify(wanted)}`, async () => {
    const counted = await counters(tcpsrun);
    const isSo = Object.entries(wanted).every(([name, value]) => counted[name] === value);
    return isSo ? true : undefined;
  });
}

for (const way of ways) {
  t.test(`${way.way}: the oldest session that has not logged in gives way`, async (t) => {
    const tcpsrun = await start(t, way, ['--concurrency', '3']);
    const [user, first, second] = [tcpsrun.connect(), tcpsrun.connect(), tcpsrun.connect()];
    for (const client of [user, first, second]) await client.firstLine();
    user.socket.write('login\n');
    await untilCounted(tcpsrun, { logins: 1, running: 3 });
    const third = tcpsrun.connect('127.0.0.9');
    await third.firstLine();
    await first.end();
    await tcpsrun.program.logLine(
      new RegExp(
        `evict peer=127\\.0\\.0\\.1 port=${first.socket.localPort} level=1 pid=[0-9]+ for=127\\.0\\.0\\.9$`,
      ),
    );
    t.match(await counters(tcpsrun), { running: 3, evicted: 1, held: 0 });
    for (const client of [user, second, third]) t.notOk(client.socket.destroyed);
    const fourth = tcpsrun.connect('127.0.0.10');
    await Promise.all([second.end(), fourth.firstLine()]);
    user.socket.write('bye\n');
    t.match((await user.end()).received, /bye\n$/);
  });

  t.test(`${way.way}: sessions that logged in do not give way`, async (t) => {
    const tcpsrun = await start(t, way, ['--concurrency', '1']);
    const user = tcpsrun.connect();
    await user.firstLine();
    user.socket.write('login\n');
    await untilCounted(tcpsrun, { logins: 1, running: 1 });
    const other = tcpsrun.connect('127.0.0.9');
    await untilCounted(tcpsrun, { held: 1, evicted: 0 });
    user.socket.write('bye\n');
    await other.firstLine();
    t.match((await user.end()).received, /bye\n$/);
  });

  t.test(`${way.way}: who has his share of the slots pushes nobody out`, async (t) => {
    const tcpsrun = await start(t, way, ['--concurrency', '2', '--per-source', '1']);
    const [one, other] = [tcpsrun.connect('127.0.0.8'), tcpsrun.connect('127.0.0.9')];
    await Promise.all([one.firstLine(), other.firstLine()]);
    tcpsrun.connect('127.0.0.8');
    await untilCounted(tcpsrun, { held: 1, running: 2, evicted: 0 });
  });

  t.test(`${way.way}: nobody gives way to a lower level`, async (t) => {
    const rules = '127.0.0.1 1\n127.0.0.7 1\n127.0.0.8 2\n127.0.0.9 3\n';
    const tcpsrun = await start(t, way, ['--concurrency', '2'], rules);
    const [low, middle] = [tcpsrun.connect('127.0.0.7'), tcpsrun.connect('127.0.0.8')];
    await Promise.all([low.firstLine(), middle.firstLine()]);
    const high = tcpsrun.connect('127.0.0.9');
    await Promise.all([low.end(), high.firstLine()]);
    tcpsrun.connect('127.0.0.7');
    await untilCounted(tcpsrun, { held: 1, evicted: 1 });
    t.notOk(middle.socket.destroyed);
  });
}

const [processes, worker] = ways;

t.test('a kept worker: a network pushes out its own before those of others', async (t) => {
  const tcpsrun = await start(t, worker, ['--concurrency', '3']);
  const user = tcpsrun.connect('127.0.0.8');
  await user.firstLine();
  for (let count = 0; count < 10; count += 1) await tcpsrun.connect('127.0.0.9').firstLine();
  t.match(await counters(tcpsrun), { evicted: 8 });
  t.notOk(user.socket.destroyed);
  t.notMatch(tcpsrun.program.stderr, /evict peer=127\.0\.0\.8/);
});

t.test("a kept worker: a client's only former session gives way to its next at once", async (t) => {
  const tcpsrun = await start(t, worker, ['--concurrency', '1']);
  const former = tcpsrun.connect();
  await former.firstLine();
  await Promise.all([former.end(), tcpsrun.connect().firstLine()]);
});

t.test(
  'a process for each: those of a network give way to one another after some seconds',
  async (t) => {
    const tcpsrun = await start(t, processes, ['--concurrency', '2', '--backlog', '1']);
    const user = tcpsrun.connect('127.0.0.8');
    const former = tcpsrun.connect('127.0.0.9');
    await Promise.all([user.firstLine(), former.firstLine()]);
    const startMs = performance.now();
    const next = tcpsrun.connect('127.0.0.9');
    await untilCounted(tcpsrun, { held: 1, evicted: 0 });
    // Those that find no place to wait help the one that does.
    await poll('the former session to give way', async () => {
      await tcpsrun.connect('127.0.0.9').end();
      return (await counters(tcpsrun))['evicted'] === 1 ? true : undefined;
    });
    t.ok(performance.now() - startMs > 4000);
    await Promise.all([former.end(), next.firstLine()]);
    t.notMatch(tcpsrun.program.stderr, /evict peer=127\.0\.0\.8/);
  },
);

t.test('a program that does not end when it should give way is killed', async (t) => {
  const tcpsrun = await startTcpsrun(t, {
    runFile: shellRunFile("trap '' USR2; echo +OK; : %5; read line"),
    options: ['--concurrency', '1'],
  });
  const stubborn = tcpsrun.connect();
  await stubborn.firstLine();
  await tcpsrun.connect('127.0.0.9').firstLine();
  await tcpsrun.program.logLine(
    new RegExp(`end peer=127\\.0\\.0\\.1 port=${stubborn.socket.localPort} .*signal=SIGKILL`),
  );
});

t.test('a program whose client logs in when it should give way goes on', async (t) => {
  const tcpsrun = await startTcpsrun(t, {
    // As a session does that hears of it too late.
    runFile: shellRunFile(
      "trap 'echo login >&%5; echo logged in' USR2; trap 'exit 1' TERM; echo +OK; " +
        'read line || read line; echo bye',
    ),
    options: ['--concurrency', '1'],
  });
  const user = tcpsrun.connect();
  await user.firstLine();
  const other = tcpsrun.connect('127.0.0.9');
  await untilCounted(tcpsrun, { evicted: 1, logins: 1, held: 1 });
  // Longer than the time after which one that says nothing is killed.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  user.socket.write('bye\n');
  t.match((await user.end()).received, /logged in\nbye\n$/);
  await other.firstLine();
});

t.test('many programs being started for one network leave another its turn', async (t) => {
  const tcpsrun = await startTcpsrun(t, {
    runFile: shellRunFile(
      'sleep 0.1; echo started; echo ready >&%5; [ $TCPREMOTEIP = 127.0.0.8 ] || read line',
    ),
    options: ['--concurrency', '100'],
  });
  const many = Array.from({ length: 40 }, () => tcpsrun.connect('127.0.0.9'));
  const order: string[] = [];
  const started = many.map(async (client) => {
    await client.firstLine();
    order.push('one of many');
  });
  await started[0];
  await tcpsrun.connect('127.0.0.8').firstLine();
  order.push('the other');
  await Promise.all(started);
  const before = order.indexOf('the other');
  t.ok(before < 4 * availableParallelism() + 4, `${before} were started before it`);
});

t.test('failed logins are counted for each address and told to its next sessions', async (t) => {
  const tcpsrun = await startTcpsrun(t, {
    runFile: shellRunFile('echo failed before: $FAILED_LOGINS; echo failed-login >&%5'),
  });
  const said = async (from: string): Promise<string> =>
    (await tcpsrun.connect(from).end()).received.trim();
  t.equal(await said('127.0.0.8'), 'failed before: 0');
  await untilCounted(tcpsrun, { failedLogins: 1 });
  t.equal(await said('127.0.0.8'), 'failed before: 1');
  await untilCounted(tcpsrun, { failedLogins: 2 });
  t.equal(await said('127.0.0.8'), 'failed before: 2');
  t.equal(await said('127.0.0.9'), 'failed before: 0', 'a neighbour is somebody else');
});

t.test(
  'a worker tells of failed logins, and is told of them with the next connection',
  async (t) => {
    const tcpsrun = await start(t, worker, []);
    const failing = tcpsrun.connect('127.0.0.8');
    await failing.firstLine();
    failing.socket.write('failed-login\nfailed-login\n');
    await untilCounted(tcpsrun, { failedLogins: 2, logins: 0 });
    const before = async (from: string): Promise<unknown> => {
      const client = tcpsrun.connect(from);
      client.socket.write('facts\nbye\n');
      const [, facts = ''] = (await client.end()).received.split('\n');
      return (JSON.parse(facts) as { environment: Record<string, string> }).environment[
        'FAILED_LOGINS'
      ];
    };
    t.equal(await before('127.0.0.8'), '2');
    t.equal(await before('127.0.0.9'), '0');
  },
);

t.test('a worker knows what others of the network failed since a session began', async (t) => {
  const tcpsrun = await start(t, worker, []);
  const clients = ['127.0.0.8', '127.0.0.8', '127.0.0.9'].map((from) => tcpsrun.connect(from));
  for (const client of clients) await client.firstLine();
  const said: unknown[] = [];
  for (const client of clients) {
    client.socket.write(said.length === 0 ? 'failed-login\nfailed-login\n' : '');
    client.socket.write('failures\nbye\n');
    said.push((await client.end()).received.split('\n').at(-3));
  }
  t.strictSame(said, ['2', '2', '0']);
});

t.test('%5 is a descriptor of its own beside %3, and the program gets no others', async (t) => {
  const tcpsrun = await startTcpsrun(t, {
    runFile: shellRunFile('echo login >&%5; exec ls -m /proc/self/fd >&%3'),
  });
  // The last one is the folder that ls reads.
  t.equal((await tcpsrun.connect().end()).received, '0, 1, 2, 3, 4, 5\n');
  await untilCounted(tcpsrun, { logins: 1 });
});

t.test('what is no news is passed over, and endless lines are not kept', async (t) => {
  const tcpsrun = await startTcpsrun(t, {
    runFile: shellRunFile(
      'echo logins >&%5; echo >&%5; printf log >&%5; echo in >&%5; echo +OK; ' +
        "trap '' PIPE; head -c 1000000 /dev/zero >&%5; echo login >&%5; echo done",
    ),
  });
  t.equal((await tcpsrun.connect().end()).received, '+OK\ndone\n');
  await untilCounted(tcpsrun, { logins: 1, running: 0, served: 1 });
});
