// Kept workers: whose connections are whose, and what happens when a worker changes, ends or dies.

import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startTls } from '../support/sessions/tls-conversation.js';
import { poll } from '../support/suite/deadline.js';
import { unlessInstalled } from '../support/peers/debian.js';
import { builtProgram, runCommand, type RunningProgram } from '../support/programs/run-program.js';
import {
  replaceText,
  startTcpsrun,
  type Client,
  type Tcpsrun,
  type TcpsrunOptions,
} from '../support/programs/tcpsrun-fixture.js';

/** A run file for one of the workers in test/support. */
function workerRunFile(name: string, ...args: readonly string[]): string {
  const values = ['node', builtProgram(`test/support/programs/${name}.js`), ...args];
  return `program ${process.execPath}\n${values.map((value) => `argument "${value}"\n`).join('')}`;
}

/** Starts tcpsrun with `count` workers, and waits until `ready` of them can take connections. */
async function startWithWorkers(
  t: Test,
  count: number,
  given: TcpsrunOptions,
  ready = count,
): Promise<Tcpsrun> {
  const tcpsrun = await startTcpsrun(t, {
    ...given,
    options: ['--workers', String(count), ...(given.options ?? [])],
  });
  await untilReady(tcpsrun, ready);
  return tcpsrun;
}

/** SIGUSR1 counts nothing of workers: what a connection says of its server tells that they are up. */
async function untilReady(tcpsrun: Tcpsrun, count: number): Promise<void> {
  await poll(`${count} workers to be ready`, async () => {
    const clients = Array.from({ length: count }, () => tcpsrun.connect());
    const pids = await Promise.all(clients.map(pidOf));
    for (const client of clients) await finish(client);
    const workers = new Set(startedWorkers(tcpsrun.program));
    return pids.every((pid) => workers.has(pid)) && new Set(pids).size === count ? true : undefined;
  });
}

/** Pids of the workers started so far, in order. */
function startedWorkers({ stderr }: RunningProgram): number[] {
  return [...stderr.matchAll(/^tcpsrun: worker pid=([0-9]+)$/gm)].map(([, pid]) => Number(pid));
}

/** Waits until the log has so many lines that match. */
async function untilLogged(program: RunningProgram, pattern: RegExp, count: number): Promise<void> {
  await poll(`${count} lines like ${String(pattern)} in\n${program.stderr.slice(-2000)}`, () =>
    Promise.resolve([...program.stderr.matchAll(pattern)].length >= count ? true : undefined),
  );
}

/** What a session says in answer to a line. */
async function ask(client: Client, line: string): Promise<string> {
  const before = client.received.length;
  client.socket.write(`${line}\n`);
  return poll(`an answer to "${line}"`, () => {
    const answer = client.received.slice(before);
    const end = answer.indexOf('\n');
    return Promise.resolve(end === -1 ? undefined : answer.slice(0, end));
  });
}

/** Two clients that are served by different workers: until the ends of earlier sessions are told, one may look loaded that is not. */
async function inTwoWorkers(tcpsrun: Tcpsrun): Promise<{
  readonly victim: Client;
  readonly pid: number;
  readonly witness: Client;
  readonly witnessPid: number;
}> {
  const victim = tcpsrun.connect();
  const pid = await pidOf(victim);
  return poll('a client in the other worker', async () => {
    const witness = tcpsrun.connect();
    const witnessPid = await pidOf(witness);
    if (witnessPid !== pid) return { victim, pid, witness, witnessPid };
    await finish(witness);
    return undefined;
  });
}

async function pidOf(client: Client): Promise<number> {
  await client.firstLine();
  return Number((await ask(client, 'pid?')).split(' ')[0]);
}

async function finish(client: Client): Promise<void> {
  client.socket.write('bye\n');
  await client.end();
  client.socket.end();
}

interface Facts {
  readonly pid: number;
  readonly isGreeted: boolean;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

async function factsOf(client: Client): Promise<Facts> {
  return JSON.parse(await ask(client, 'facts')) as Facts;
}

t.test('a worker gets the peer, the level and the arguments of each connection', async (t) => {
  const tcpsrun = await startWithWorkers(t, 1, {
    runFile: workerRunFile('line-worker', '-', 'level %4', '%TCPREMOTEIP%'),
    rules: 'default 1\n127.0.0.7 5\n',
  });
  const [ordinary, trusted] = [tcpsrun.connect(), tcpsrun.connect('127.0.0.7')];
  await Promise.all([ordinary.firstLine(), trusted.firstLine()]);
  const [one, other] = [await factsOf(ordinary), await factsOf(trusted)];
  t.same(one.arguments.slice(-2), ['level 1', '127.0.0.1']);
  t.same(other.arguments.slice(-2), ['level 5', '127.0.0.7']);
  t.equal(one.pid, other.pid, 'one process serves both');
  t.match(other.environment, {
    PROTO: 'TCP',
    ACCESSLEVEL: '5',
    TCPREMOTEIP: '127.0.0.7',
    TCPREMOTEPORT: String(trusted.socket.localPort),
    TCPLOCALIP: '127.0.0.1',
    TCPLOCALPORT: String(tcpsrun.port),
  });
  await tcpsrun.program.logLine(/connect peer=127\.0\.0\.7 port=[0-9]+ level=5 rule=2 pid=/);
});

t.test('connections go to the worker that has the fewest', async (t) => {
  const tcpsrun = await startWithWorkers(t, 2, { runFile: workerRunFile('line-worker', '-') });
  const pids: number[] = [];
  // One after the other: what is being handed over counts for nothing yet.
  for (let count = 0; count < 6; count += 1) pids.push(await pidOf(tcpsrun.connect()));
  const [first] = pids;
  t.equal(pids.filter((pid) => pid === first).length, 3);
});

t.test('a changed run file starts new workers, and running sessions stay', async (t) => {
  const tcpsrun = await startWithWorkers(t, 1, { runFile: workerRunFile('line-worker', '-') });
  const before = tcpsrun.connect();
  const pid = await pidOf(before);
  replaceText(tcpsrun, 'test.run', `setenv NEW 1\n${workerRunFile('line-worker', '-')}`);
  t.not(await pidOf(tcpsrun.connect()), pid, 'the first connection after it is not the old one’s');
  await tcpsrun.program.logLine(new RegExp(`worker-retired pid=${pid} why="the run file changed"`));
  await untilReady(tcpsrun, 1);
  t.equal(await ask(before, 'still?'), `${pid} still?`);
  await finish(before);
  await tcpsrun.program.logLine(new RegExp(`worker-end pid=${pid} status=0`));
});

t.test('a change of the arguments alone needs no new worker', async (t) => {
  const tcpsrun = await startWithWorkers(t, 1, { runFile: workerRunFile('line-worker', '-') });
  const pid = await pidOf(tcpsrun.connect());
  replaceText(tcpsrun, 'test.run', workerRunFile('line-worker', '-', 'more'));
  const client = tcpsrun.connect();
  await client.firstLine();
  const facts = await factsOf(client);
  t.equal(facts.pid, pid);
  t.equal(facts.arguments.at(-1), 'more');
});

t.test('a worker is replaced after its number of sessions', async (t) => {
  const tcpsrun = await startTcpsrun(t, {
    runFile: workerRunFile('line-worker', '-'),
    options: ['--workers', '1', '--worker-sessions', '3'],
  });
  for (let count = 0; count < 12; count += 1) {
    const client = tcpsrun.connect();
    await client.firstLine();
    await finish(client);
  }
  await tcpsrun.program.logLine(/worker-end pid=[0-9]+ status=0 sessions=3$/);
  t.notMatch(tcpsrun.program.stderr, /worker-end .*sessions=(?:[4-9]|[0-9]{2,})/);
});

t.test('with one session for each worker, no two sessions share a process', async (t) => {
  const tcpsrun = await startTcpsrun(t, {
    runFile: workerRunFile('line-worker', '-'),
    options: ['--workers', '3', '--worker-sessions', '1'],
  });
  const pids = await Promise.all(Array.from({ length: 12 }, () => pidOf(tcpsrun.connect())));
  t.equal(new Set(pids).size, 12);
  // Those that wait ahead are never more than were asked for.
  await untilLogged(tcpsrun.program, /^tcpsrun: worker pid=/gm, 3);
  const taken = startedWorkers(tcpsrun.program).filter((pid) => pids.includes(pid));
  t.ok(startedWorkers(tcpsrun.program).length <= taken.length + 3);
});

t.test('SIGHUP replaces workers as they become idle', async (t) => {
  const tcpsrun = await startWithWorkers(t, 2, { runFile: workerRunFile('line-worker', '-') });
  const old = startedWorkers(tcpsrun.program);
  const client = tcpsrun.connect();
  const pid = await pidOf(client);
  tcpsrun.program.kill('SIGHUP');
  await untilLogged(tcpsrun.program, /worker-retired .*why=SIGHUP/g, 2);
  const [idle] = old.filter((other) => other !== pid);
  await tcpsrun.program.logLine(new RegExp(`worker-end pid=${String(idle)} status=0`));
  t.equal(await ask(client, 'still?'), `${pid} still?`);
  await untilReady(tcpsrun, 2);
  t.notOk(old.includes(await pidOf(tcpsrun.connect())));
  await finish(client);
  await tcpsrun.program.logLine(new RegExp(`worker-end pid=${pid} status=0`));
});

t.test('SIGTERM lets the sessions of workers finish, and then ends the workers', async (t) => {
  const tcpsrun = await startWithWorkers(t, 2, { runFile: workerRunFile('line-worker', '-') });
  const clients = Array.from({ length: 4 }, () => tcpsrun.connect());
  await Promise.all(clients.map((client) => client.firstLine()));
  tcpsrun.program.kill('SIGTERM');
  await tcpsrun.program.logLine(/stopping /);
  for (const client of clients) t.match(await ask(client, 'still?'), /still\?$/);
  for (const client of clients) await finish(client);
  t.same(await tcpsrun.program.ending, { status: 0, signal: null });
  for (const pid of startedWorkers(tcpsrun.program)) {
    t.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  }
});

t.test('SIGTERM while the workers are being started ends them too', async (t) => {
  const tcpsrun = await startTcpsrun(t, {
    runFile: workerRunFile('line-worker', '-'),
    options: ['--workers', '2'],
  });
  await untilLogged(tcpsrun.program, /^tcpsrun: worker pid=/gm, 2);
  tcpsrun.program.kill('SIGTERM');
  // Its log is closed when the workers, which have it too, are gone.
  t.same(await tcpsrun.program.ending, { status: 0, signal: null });
});

t.test('workers outlive a launcher that is killed until their sessions end', async (t) => {
  const tcpsrun = await startWithWorkers(t, 1, { runFile: workerRunFile('line-worker', '-') });
  const client = tcpsrun.connect();
  const pid = await pidOf(client);
  tcpsrun.program.kill('SIGKILL');
  t.equal(await ask(client, 'still?'), `${pid} still?`);
  await finish(client);
  // Its log, which the worker has too, is closed when both are gone.
  t.match(await tcpsrun.program.ending, { signal: 'SIGKILL' });
});

t.test(
  'a worker that stops before it takes a connection is replaced, and greets no client twice',
  async (t) => {
    const tcpsrun = await startWithWorkers(t, 2, {
      runFile: workerRunFile('line-worker', '+OK by the launcher'),
    });
    const [first = 0, second = 0] = startedWorkers(tcpsrun.program);
    // Stopped, they take nothing: both have a connection on the way when they die.
    for (const pid of [first, second]) process.kill(pid, 'SIGSTOP');
    const clients = Array.from({ length: 4 }, () => tcpsrun.connect());
    for (const client of clients.slice(0, 2)) {
      t.equal(await client.firstLine(), '+OK by the launcher');
    }
    for (const pid of [first, second]) process.kill(pid, 'SIGKILL');
    for (const client of clients) {
      await client.firstLine();
      const facts = await factsOf(client);
      t.notOk([first, second].includes(facts.pid));
      t.equal(client.received.match(/^\+OK/gm)?.length, 1, 'one greeting');
      await finish(client);
    }
  },
);

t.test(
  'a connection that a dead worker had taken is closed, and logged with the signal',
  async (t) => {
    const tcpsrun = await startWithWorkers(t, 2, { runFile: workerRunFile('line-worker', '-') });
    const { victim, pid, witness, witnessPid } = await inTwoWorkers(tcpsrun);
    process.kill(pid, 'SIGKILL');
    await victim.end();
    await tcpsrun.program.logLine(
      new RegExp(`end peer=\\S+ port=[0-9]+ pid=${pid} signal=SIGKILL`),
    );
    t.equal(await ask(witness, 'still?'), `${witnessPid} still?`);
  },
);

t.test('a worker that runs out of memory dies alone, and is replaced', async (t) => {
  const runFile = workerRunFile('line-worker', '-');
  const tcpsrun = await startWithWorkers(t, 2, {
    runFile: runFile.replace('"node"\n', '"node"\nargument "--max-old-space-size=24"\n'),
  });
  const { victim, pid, witness, witnessPid } = await inTwoWorkers(tcpsrun);
  victim.socket.write('grow\n');
  t.equal(await ask(witness, 'still?'), `${witnessPid} still?`);
  t.match(await tcpsrun.connect().firstLine(), /^\+OK/, 'also while it grows');
  await victim.end();
  await tcpsrun.program.logLine(new RegExp(`worker-end pid=${pid} signal=SIG(?:ABRT|TRAP|ILL)`));
  await tcpsrun.program.logLine(new RegExp(`end peer=\\S+ port=[0-9]+ pid=${pid} signal=`));
  await untilLogged(tcpsrun.program, /^tcpsrun: worker pid=/gm, 3);
  t.equal(await ask(witness, 'and now?'), `${witnessPid} and now?`);
});

t.test(
  'one session’s uncaught error ends no other session, and its worker takes no new ones',
  async (t) => {
    const tcpsrun = await startWithWorkers(t, 1, { runFile: workerRunFile('line-worker', '-') });
    const [guilty, innocent] = [tcpsrun.connect(), tcpsrun.connect()];
    const pid = await pidOf(innocent);
    await guilty.firstLine();
    guilty.socket.write('throw\n');
    await tcpsrun.program.logLine(/line-worker: error Error: uncaught on request/);
    await tcpsrun.program.logLine(new RegExp(`worker-retired pid=${pid} why="an uncaught error"`));
    t.equal(await ask(innocent, 'still?'), `${pid} still?`);
    t.not(await pidOf(tcpsrun.connect()), pid);
    for (const client of [guilty, innocent]) await finish(client);
    await tcpsrun.program.logLine(new RegExp(`worker-end pid=${pid} status=0`));
  },
);

t.test('a session that fails is closed; the worker goes on', async (t) => {
  const tcpsrun = await startWithWorkers(t, 1, { runFile: workerRunFile('line-worker', '-') });
  const failing = tcpsrun.connect();
  const pid = await pidOf(failing);
  failing.socket.write('reject\n');
  await failing.end();
  await tcpsrun.program.logLine(/line-worker: error rejected on request/);
  t.equal(await pidOf(tcpsrun.connect()), pid);
});

t.test('a worker may ask to be replaced', async (t) => {
  const tcpsrun = await startWithWorkers(t, 1, { runFile: workerRunFile('line-worker', '-') });
  const client = tcpsrun.connect();
  const pid = await pidOf(client);
  await ask(client, 'stale');
  // It asks when the next connection comes.
  t.equal(await pidOf(tcpsrun.connect()), pid);
  await tcpsrun.program.logLine(new RegExp(`worker-retired pid=${pid} why="a client said so"`));
  t.not(await pidOf(tcpsrun.connect()), pid);
});

t.test('a worker that closes its channel and goes on is replaced', async (t) => {
  const tcpsrun = await startWithWorkers(t, 1, { runFile: workerRunFile('line-worker', '-') });
  const client = tcpsrun.connect();
  const pid = await pidOf(client);
  await ask(client, 'hang up');
  t.not(await pidOf(tcpsrun.connect()), pid, 'what comes meanwhile is served');
  await tcpsrun.program.logLine(
    new RegExp(`worker-retired pid=${pid} why="it closed its channel"`),
  );
  t.equal(await ask(client, 'still?'), `${pid} still?`);
});

t.test(
  'programs that end when they are kept are tried more and more seldom, and serve by themselves',
  async (t) => {
    const { connect, program } = await startTcpsrun(t, {
      runFile: workerRunFile('broken-worker', 'early-death'),
      options: ['--workers', '2'],
    });
    await program.logLine(/warning why="workers end as soon as they are started" retry=0\.1$/);
    await program.logLine(/warning why="workers end as soon as they are started" retry=0\.2$/);
    await program.logLine(/warning why="workers end as soon as they are started" retry=0\.4$/);
    t.equal((await connect().end()).received, '+OK a process of its own\n');
    t.ok(startedWorkers(program).length <= 8);
  },
);

t.test('a program that knows nothing of channels serves each connection by itself', async (t) => {
  const { connect } = await startTcpsrun(t, {
    runFile: workerRunFile('broken-worker', 'silent'),
    options: ['--workers', '1'],
  });
  t.equal((await connect().end()).received, '+OK a process of its own\n');
});

t.test('a connection that every worker dies of ends up in a process of its own', async (t) => {
  const { connect, program } = await startTcpsrun(t, {
    runFile: workerRunFile('broken-worker', 'poisoned'),
    options: ['--workers', '1'],
  });
  await untilLogged(program, /^tcpsrun: worker pid=/gm, 1);
  for (let count = 0; count < 3; count += 1) {
    t.equal((await connect().end()).received, '+OK a process of its own\n');
  }
});

t.test(
  'a worker of pop3d serves a renewed certificate, and is not replaced',
  { skip: unlessInstalled('openssl') },
  async (t) => {
    // Not in the test's own folder, which tcpsrun's fixture makes anew.
    const files = mkdtempSync(join(tmpdir(), 'worker-certificate-'));
    t.teardown(() => rmSync(files, { recursive: true }));
    const [certificate, key] = [join(files, 'cert.pem'), join(files, 'key.pem')];
    const subject = ['-subj', '/CN=localhost', '-keyout', key, '-out', certificate];
    const makePair = (): Promise<unknown> =>
      runCommand(t, 'openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject]);
    await makePair();
    const run = `program ${process.execPath}\nargument node\nargument ${builtProgram('pop3d')}
argument --tls-cert\nargument ${certificate}\nargument --tls-key\nargument ${key}\n`;
    const tcpsrun = await startTcpsrun(t, { runFile: run, options: ['--workers', '1'] });
    const { program } = tcpsrun;
    const servedCertificate = async (): Promise<string | undefined> => {
      const { socket, client } = await startTls(connect(tcpsrun.port, '127.0.0.1'));
      const served = socket.getPeerX509Certificate()?.fingerprint256;
      await client.ok('QUIT');
      socket.destroy();
      return served;
    };
    const fingerprint = (): string => new X509Certificate(readFileSync(certificate)).fingerprint256;
    await poll('a worker to serve', async () => {
      t.equal(await servedCertificate(), fingerprint());
      const [pid = 0] = startedWorkers(program);
      return program.stderr.includes(` pid=${pid} status=0 seconds`) ? true : undefined;
    });
    await makePair();
    t.equal(await servedCertificate(), fingerprint(), 'the new one');
    t.equal(startedWorkers(program).length, 1);
    t.notMatch(program.stderr, /worker-retired/);
  },
);

t.test(
  'killing workers all the time costs no connection its greeting, and no descriptor',
  { timeout: 110_000 },
  async (t) => {
    const sessions = Number(process.env['WORKER_STORM_SESSIONS'] ?? 1000);
    const tcpsrun = await startWithWorkers(t, 4, {
      runFile: workerRunFile('line-worker', '+OK once'),
      options: ['--concurrency', '64', '--backlog', '512'],
    });
    const { program } = tcpsrun;
    await storm(tcpsrun, Math.ceil(sessions / 4), () => undefined);
    const descriptorsBefore = openDescriptors(program.pid);
    const memoryBefore = residentMiB(program.pid);
    let killed = 0;
    const killer = setInterval(() => {
      const ended = new Set(
        [...program.stderr.matchAll(/worker-end pid=([0-9]+)/g)].map(([, pid]) => Number(pid)),
      );
      const pid = startedWorkers(program).find((candidate) => !ended.has(candidate));
      if (pid === undefined) return;
      try {
        process.kill(pid, 'SIGKILL');
        killed += 1;
      } catch {
        // It ended, and the log says so in a moment.
      }
    }, 100);
    const outcomes = { served: 0, cut: 0, odd: [] as string[] };
    try {
      await storm(tcpsrun, sessions, (received) => {
        if (/^\+OK once\n[0-9]+ work\nbye\n$/.test(received)) outcomes.served += 1;
        else if (/^\+OK once\n(?:[0-9]+ work\n)?$/.test(received)) outcomes.cut += 1;
        else outcomes.odd.push(received);
      });
    } finally {
      clearInterval(killer);
    }
    t.same(outcomes.odd, [], 'every connection was greeted, and greeted once');
    t.ok(killed > 0);
    t.ok(
      outcomes.served > outcomes.cut,
      `${outcomes.served} served, ${outcomes.cut} cut, ${killed} killed`,
    );
    await untilReady(tcpsrun, 4);
    await poll('the launcher’s descriptors to return', () =>
      Promise.resolve(openDescriptors(program.pid) <= descriptorsBefore ? true : undefined),
    );
    t.ok(residentMiB(program.pid) < memoryBefore + 48, 'memory stays within what garbage explains');
    await poll('all sessions to be over', () => {
      program.kill('SIGUSR1');
      return Promise.resolve(
        /counters .*running=0 held=0$/m.test(program.stderr) ? true : undefined,
      );
    });
  },
);

/** Runs sessions, 16 at a time; each does a line of work. */
async function storm(
  { connect }: Tcpsrun,
  count: number,
  tell: (received: string) => void,
): Promise<void> {
  let started = 0;
  const runSome = async (): Promise<void> => {
    while (started < count) {
      started += 1;
      const client = connect();
      client.socket.write('work\nbye\n');
      tell((await client.end()).received);
      client.socket.destroy();
    }
  };
  await Promise.all(Array.from({ length: 16 }, runSome));
}

function openDescriptors(pid: number): number {
  return readdirSync(join('/proc', String(pid), 'fd')).length;
}

function residentMiB(pid: number): number {
  const status = readFileSync(join('/proc', String(pid), 'status'), 'latin1');
  return Number(/^VmRSS:\s+([0-9]+) kB/m.exec(status)?.[1]) / 1024;
}

t.test(
  'idle clients that take all descriptors of a worker end no session of a user, and give way',
  { skip: unlessInstalled('prlimit') },
  async (t) => {
    const runFile = workerRunFile('line-worker', '+OK hello');
    const tcpsrun = await startWithWorkers(t, 1, { runFile, openFiles: 96 });
    const user = tcpsrun.connect();
    await user.firstLine();
    t.equal(await ask(user, 'login'), 'told');
    const idle: Client[] = [];
    for (let count = 0; count < 60; count += 1) {
      const client = tcpsrun.connect('127.0.0.2');
      idle.push(client);
      await client.firstLine();
    }
    const another = tcpsrun.connect('127.0.0.3');
    t.equal(await another.firstLine(), '+OK hello');
    t.equal(await ask(another, 'login'), 'told');
    await poll('an idle client that gave way', () =>
      Promise.resolve(idle.some(({ received }) => received.includes('evicted')) ? true : undefined),
    );
    t.match(await ask(user, 'still there'), /still there$/);
    t.notMatch(tcpsrun.program.stderr, /worker-end/);
  },
);

t.test('SIGHUP as often as it comes starts few workers and loses no connection', async (t) => {
  const runFile = workerRunFile('line-worker', '+OK hello');
  const tcpsrun = await startWithWorkers(t, 2, { runFile });
  for (let round = 0; round < 10; round += 1) {
    for (let count = 0; count < 30; count += 1) tcpsrun.program.kill('SIGHUP');
    const clients = Array.from({ length: 5 }, () => tcpsrun.connect());
    for (const client of clients) t.equal(await client.firstLine(), '+OK hello');
    for (const client of clients) await finish(client);
  }
  t.ok(startedWorkers(tcpsrun.program).length < 100, 'not two for each of 300 signals');
});
