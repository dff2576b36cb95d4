// tcpsrun's access rules, slots, waiting room and descriptors, with programs of the shell.

import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { poll } from '../support/suite/deadline.js';
import { runProgram } from '../support/programs/run-program.js';
import {
  counters,
  greeter,
  replaceText,
  shellRunFile,
  startTcpsrun,
  type Client,
  type Tcpsrun,
} from '../support/programs/tcpsrun-fixture.js';

const showLevel = shellRunFile('echo level %4 $ACCESSLEVEL');

/** Waits until tcpsrun has accepted that many connections in all. */
async function untilAccepted(tcpsrun: Tcpsrun, accepted: number): Promise<void> {
  await poll(`${accepted} accepted`, async () =>
    (await counters(tcpsrun))['accepted'] === accepted ? true : undefined,
  );
}

async function finish(client: Client): Promise<string> {
  client.socket.end('done\n');
  return (await client.end()).received;
}

t.test('a denied client sees a close and no byte, and the log names the rule', async (t) => {
  const { connect, program } = await startTcpsrun(t, {
    runFile: showLevel,
    rules: '# loopback\n127.0.0.2 0\n127.0.0.0/8 5\n',
  });
  t.equal((await connect('127.0.0.2').end()).received, '');
  await program.logLine(/refuse peer=127\.0\.0\.2 port=[0-9]+ level=0 rule=2 why=denied$/);
  t.equal((await connect('127.0.0.1').end()).received, 'level 5 5\n');
  await program.logLine(/connect peer=127\.0\.0\.1 port=[0-9]+ level=5 rule=3 pid=/);
});

t.test('a client that no rule matches is denied', async (t) => {
  const { connect, program } = await startTcpsrun(t, { runFile: showLevel, rules: '::1 1\n' });
  t.equal((await connect().end()).received, '');
  await program.logLine(/refuse peer=127\.0\.0\.1 port=[0-9]+ level=0 why=denied$/);
});

t.test('with --spawn-denied the program is told of level 0', async (t) => {
  const { connect } = await startTcpsrun(t, {
    runFile: showLevel,
    rules: 'default 0\n',
    options: ['--spawn-denied'],
  });
  t.equal((await connect().end()).received, 'level 0 0\n');
});

t.test('edited rules hold for the next connection, broken ones change nothing', async (t) => {
  const tcpsrun = await startTcpsrun(t, { runFile: showLevel, rules: 'default 1\n' });
  const level = async (): Promise<string> => (await tcpsrun.connect().end()).received;
  t.equal(await level(), 'level 1 1\n');
  replaceText(tcpsrun, 'rules', 'default 12\n');
  t.equal(await level(), 'level 12 12\n');
  replaceText(tcpsrun, 'rules', 'default 0\nbroken\n');
  t.equal(await level(), 'level 12 12\n');
  await tcpsrun.program.logLine(/warning why="rules:2: .*has no level/);
  tcpsrun.program.kill('SIGHUP');
  t.equal(await level(), 'level 12 12\n');
});

t.test('while tcprule edits, every client gets the old or the new level', async (t) => {
  const tcpsrun = await startTcpsrun(t, { runFile: showLevel, rules: 'default 1\n' });
  const editing = new AbortController();
  const clients = (async () => {
    const seen = new Set<string>();
    while (!editing.signal.aborted) seen.add((await tcpsrun.connect().end()).received);
    return seen;
  })();
  for (const level of ['2', '1', '2', '1', '2']) {
    const edit = await runProgram(t, 'tcprule', ['rules', 'add', 'default', level], {
      cwd: tcpsrun.directory,
    });
    t.equal(edit.status, 0);
  }
  editing.abort();
  t.same([...(await clients)].sort(), ['level 1 1\n', 'level 2 2\n']);
});

t.test('a client beyond --concurrency waits, and is served when a slot is free', async (t) => {
  const tcpsrun = await startTcpsrun(t, { runFile: greeter, options: ['--concurrency', '2'] });
  const [one, two, three] = [tcpsrun.connect(), tcpsrun.connect(), tcpsrun.connect()] as const;
  await Promise.all([one.firstLine(), two.firstLine()]);
  await untilAccepted(tcpsrun, 3);
  t.match(await counters(tcpsrun), { running: 2, held: 1 });
  t.equal(three.received, '');
  three.socket.write('was here early\n');
  t.match(await finish(one), /bye done\n$/);
  t.match((await three.end()).received, /^\+OK [0-9]+\nbye was here early\n$/);
});

t.test('beyond --backlog a client is closed, and logged', async (t) => {
  const tcpsrun = await startTcpsrun(t, {
    runFile: greeter,
    options: ['--concurrency', '1', '--backlog', '1'],
  });
  const first = tcpsrun.connect();
  await first.firstLine();
  const second = tcpsrun.connect();
  await untilAccepted(tcpsrun, 2);
  t.equal((await tcpsrun.connect().end()).received, '');
  await tcpsrun.program.logLine(/refuse peer=127\.0\.0\.1 .* why="too many connections"/);
  await finish(first);
  t.match(await second.firstLine(), /^\+OK/);
});

t.test('one source has --per-source slots, and the others are not held up', async (t) => {
  const tcpsrun = await startTcpsrun(t, { runFile: greeter, options: ['--per-source', '1'] });
  const first = tcpsrun.connect('127.0.0.2');
  await first.firstLine();
  const second = tcpsrun.connect('127.0.0.2');
  await untilAccepted(tcpsrun, 2);
  t.match(await tcpsrun.connect('127.0.0.3').firstLine(), /^\+OK/);
  t.equal(second.received, '');
  await finish(first);
  t.match(await second.firstLine(), /^\+OK/);
});

t.test('a client of level 2 gets in at once while 500 of level 1 hold all they may', async (t) => {
  const tcpsrun = await startTcpsrun(t, {
    runFile: greeter,
    rules: '127.0.0.2 2\ndefault 1\n',
    options: ['--concurrency', '20', '--backlog', '600'],
  });
  const crowd = Array.from({ length: 500 }, () => tcpsrun.connect());
  await untilAccepted(tcpsrun, 500);
  t.match(await counters(tcpsrun), { running: 18, held: 482, refused: 0 });
  t.match(await tcpsrun.connect('127.0.0.2').firstLine(), /^\+OK/);
  // Also when the reserved slots are taken, it is the next.
  await tcpsrun.connect('127.0.0.2').firstLine();
  const trusted = tcpsrun.connect('127.0.0.2');
  await untilAccepted(tcpsrun, 503);
  t.equal(trusted.received, '');
  const [served] = crowd.filter((client) => client.received !== '');
  if (served === undefined) throw new Error('nobody is served');
  served.socket.end('done\n');
  t.match(await trusted.firstLine(), /^\+OK/);
});

t.test('clients that left while they waited cost no program', async (t) => {
  const tcpsrun = await startTcpsrun(t, { runFile: greeter, options: ['--concurrency', '1'] });
  const first = tcpsrun.connect();
  await first.firstLine();
  const gone = Array.from({ length: 20 }, () => tcpsrun.connect());
  await untilAccepted(tcpsrun, 21);
  for (const client of gone) client.socket.resetAndDestroy();
  await Promise.all(gone.map((client) => client.end()));
  const last = tcpsrun.connect();
  await untilAccepted(tcpsrun, 22);
  await finish(first);
  t.match(await last.firstLine(), /^\+OK/);
  t.match(await counters(tcpsrun), { served: 2, refused: 20 });
});

t.test('with few descriptors nobody is closed without a line in the log', async (t) => {
  const tcpsrun = await startTcpsrun(t, {
    runFile: greeter,
    options: ['--concurrency', '1'],
    openFiles: 80,
  });
  const crowd = Array.from({ length: 150 }, () => tcpsrun.connect());
  await untilAccepted(tcpsrun, 150);
  const { running = 0, held = 0, refused = 0 } = await counters(tcpsrun);
  t.equal(running + held + refused, 150);
  t.ok(held > 0 && held < 80, `${held} are held`);
  await poll('the refused ones to be closed', () =>
    Promise.resolve(
      crowd.filter(({ socket }) => socket.readableEnded || socket.destroyed).length === refused
        ? true
        : undefined,
    ),
  );
  t.equal(tcpsrun.program.stderr.match(/ refuse /g)?.length, refused);
});

t.test('after 500 connections no descriptor and no zombie is left', async (t) => {
  const tcpsrun = await startTcpsrun(t, { runFile: 'program /bin/true\n' });
  const descriptors = (): number => readdirSync(`/proc/${tcpsrun.program.pid}/fd`).length;
  const before = descriptors();
  for (let round = 0; round < 10; round += 1) {
    await Promise.all(Array.from({ length: 50 }, () => tcpsrun.connect().end()));
  }
  await poll('all programs to have ended', async () => {
    const { accepted, running, held } = await counters(tcpsrun);
    return accepted === 500 && running === 0 && held === 0 ? true : undefined;
  });
  // What starting needed may still have been open.
  t.ok(descriptors() <= before);
  t.match(await counters(tcpsrun), { served: 500, refused: 0, failed: 0 });
  const zombies = readdirSync('/proc').filter((pid) => isChild(pid, tcpsrun.program.pid));
  t.same(zombies, []);
});

function isChild(pid: string, parent: number): boolean {
  if (!/^[0-9]+$/.test(pid)) return false;
  try {
    return new RegExp(`^PPid:\\s+${parent}$`, 'm').test(
      readFileSync(`/proc/${pid}/status`, 'latin1'),
    );
  } catch {
    return false;
  }
}

t.test('a slot is free when its program ends, however it does and whoever it leaves', async (t) => {
  const { connect, program } = await startTcpsrun(t, {
    // The last one leaves a child that has the connection.
    runFile: shellRunFile(
      'read how; case $how in kill) kill -9 $$;; fault) kill -SEGV $$;; exit) exit 1;; esac; sleep 2 & echo left',
    ),
    options: ['--concurrency', '1'],
  });
  for (const [how, end] of [
    ['kill', 'signal=SIGKILL'],
    ['fault', 'signal=SIGSEGV'],
    ['exit', 'status=1'],
    ['leave', 'status=0'],
    ['again', 'status=0'],
  ] as const) {
    const client = connect();
    client.socket.write(`${how}\n`);
    if (end === 'status=0') t.equal(await client.firstLine(), 'left');
    else await client.end();
    const { port } = client.socket.address() as { port: number };
    await program.logLine(new RegExp(`end peer=127\\.0\\.0\\.1 port=${port} .*${end} `));
  }
});
