// tcpsrun with programs of the shell: what they are given, and what goes wrong with them. Limits, access rules and
// signals have files of their own.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { tryFindProgram } from '../support/peers/debian.js';
import { freePort } from '../support/suite/free-port.js';
import { recordingLogger } from '../support/suite/recording-logger.js';
import { builtProgram, runProgram, startCommand } from '../support/programs/run-program.js';
import {
  Client,
  greeter,
  replaceText,
  shellRunFile,
  startTcpsrun,
} from '../support/programs/tcpsrun-fixture.js';
import { testFolder } from '../support/suite/test-folder.js';

t.test('the program finds the connection described in its environment', async (t) => {
  const { connect, port } = await startTcpsrun(t, {
    runFile: shellRunFile('env'),
    address: '::',
    env: {
      TCPREMOTEHOST: 'forged.example',
      TCPLOCALHOST: 'forged.example',
      TCPREMOTEINFO: 'forged',
      LISTEN_FDS: '1',
      NODE_OPTIONS: '--max-old-space-size=300',
      LD_LIBRARY_PATH: '/nonexistent',
      NODE_CHANNEL_SERIALIZATION_MODE: 'json',
      KEPT: 'yes',
    },
  });
  const client = connect('127.0.0.3');
  const { received } = await client.end();
  const environment = new Map(
    received.split('\n').map((line): [string, string] => {
      const [name = '', ...value] = line.split('=');
      return [name, value.join('=')];
    }),
  );
  t.match(Object.fromEntries(environment), {
    PROTO: 'TCP',
    TCPLOCALIP: '127.0.0.1',
    TCPLOCALPORT: String(port),
    TCPREMOTEIP: '127.0.0.3',
    TCPREMOTEPORT: /^[0-9]+$/,
    ACCESSLEVEL: '1',
    KEPT: 'yes',
  });
  for (const name of environment.keys()) {
    t.notMatch(name, /^(?:TCPREMOTEHOST|TCPLOCALHOST|TCPREMOTEINFO|LISTEN_.*|NODE_.*|LD_.*)$/);
  }
});

t.test(
  'with %3 in the run file the connection is that descriptor, and 0, 1 and 2 are inherited',
  async (t) => {
    const { connect, program } = await startTcpsrun(t, {
      runFile: shellRunFile('echo to the log >&2; read l <&%3; echo %1 %2 %4 $l >&%3'),
    });
    const client = connect();
    client.socket.write('hello\n');
    t.equal((await client.end()).received, '0 test.run 1 hello\n');
    await program.logLine(/^to the log$/);
  },
);

t.test('a program gets its three descriptors and no other, and default signals', async (t) => {
  const directory = testFolder(t, {
    'test.run': shellRunFile('grep SigIgn /proc/self/status; exec ls /proc/self/fd'),
  });
  // 5 is marked by the runtime itself; 97 stands after a gap, where it does not look.
  const program = startCommand(t, '/bin/bash', [
    '-c',
    'exec 5</dev/null 97</dev/null; exec "$@"',
    'bash',
    process.execPath,
    builtProgram('tcpsrun'),
    '127.0.0.1',
    '0',
    join(directory, 'test.run'),
  ]);
  const [, port = ''] = await program.logLine(/listening address=\S+ port=([0-9]+)/);
  const { received } = await new Client(Number(port), '127.0.0.1').end();
  const [signals, ...descriptors] = received.trim().split('\n');
  t.match(signals, /^SigIgn:\s+0+$/);
  // 3 is ls's own, for the folder.
  t.same(descriptors, ['0', '1', '2', '3']);
});

t.test(
  'what the client sent before the program started, and its end, reach the program',
  async (t) => {
    const { connect } = await startTcpsrun(t, { runFile: shellRunFile('exec cat') });
    const client = connect();
    client.socket.end('early\n');
    t.same(await client.end(), { received: 'early\n', error: undefined });
  },
);

t.test('each connection and its end have a line in the log', async (t) => {
  const { connect, program } = await startTcpsrun(t, { runFile: shellRunFile('exit 7') });
  await connect().end();
  const [, pid = ''] = await program.logLine(
    /connect peer=127\.0\.0\.1 port=[0-9]+ level=1 pid=([0-9]+)$/,
  );
  await program.logLine(
    new RegExp(`end peer=127\\.0\\.0\\.1 port=[0-9]+ pid=${pid} status=7 seconds=[0-9.]+$`),
  );
});

t.test(
  'a program that a signal ended is logged with the signal, and the next is served',
  async (t) => {
    const tcpsrun = await startTcpsrun(t, { runFile: shellRunFile('kill -9 $$') });
    await tcpsrun.connect().end();
    await tcpsrun.program.logLine(/end peer=.* signal=SIGKILL seconds=/);
    replaceText(tcpsrun, 'test.run', greeter);
    t.match(await tcpsrun.connect().firstLine(), /^\+OK/);
  },
);

const broken: readonly (readonly [title: string, runFile: string, why: string])[] = [
  ['does not parse', 'program /bin/true\nnonsense\n', 'test.run:2: unknown directive'],
  [
    'names a missing program',
    'program /nowhere/x\n',
    'test.run:1: program: /nowhere/x: no such file',
  ],
  [
    'names a missing directory',
    'program sh\nchdir /nowhere\n',
    'test.run:2: chdir: /nowhere: no such',
  ],
  ['uses an unset variable', 'program %NOT_SET%\n', 'variable NOT_SET is not set'],
  ['is empty', '', 'test.run: names no program'],
];

for (const [title, runFile, why] of broken) {
  t.test(`a run file that ${title} costs the connection, not the service`, async (t) => {
    const tcpsrun = await startTcpsrun(t, { runFile });
    t.equal((await tcpsrun.connect().end()).received, '');
    const [line] = await tcpsrun.program.logLine(/refuse peer=127\.0\.0\.1 .* why=.*/);
    t.ok(line.includes(why), line);
    replaceText(tcpsrun, 'test.run', greeter);
    t.match(await tcpsrun.connect().firstLine(), /^\+OK/);
  });
}

t.test('a run file that is gone costs the connection, not the service', async (t) => {
  const tcpsrun = await startTcpsrun(t, { runFile: greeter });
  rmSync(join(tcpsrun.directory, 'test.run'));
  t.equal((await tcpsrun.connect().end()).received, '');
  await tcpsrun.program.logLine(/refuse .*why="test.run: cannot be read: no such file"/);
  replaceText(tcpsrun, 'test.run', greeter);
  t.match(await tcpsrun.connect().firstLine(), /^\+OK/);
});

t.test('peers that reset at once leave the service as it was', async (t) => {
  const { connect, program } = await startTcpsrun(t, { runFile: greeter });
  await Promise.all(
    Array.from({ length: 100 }, async () => {
      const client = connect();
      await new Promise((resolve) => client.socket.once('connect', resolve));
      client.socket.resetAndDestroy();
      await client.end();
    }),
  );
  t.match(await connect().firstLine(), /^\+OK/);
  program.kill('SIGUSR1');
  await program.logLine(/counters accepted=101 /);
});

const refused: readonly (readonly [
  title: string,
  args: readonly string[],
  status: number,
  message: RegExp,
])[] = [
  ['an address that is a name', ['localhost', '0', 'x'], 100, /"localhost" is no IPv4 or IPv6/],
  ['an unknown port name', ['127.0.0.1', 'nosuch', 'x'], 100, /port "nosuch" is neither/],
  ['a port out of range', ['127.0.0.1', '65536', 'x'], 100, /port "65536" is neither/],
  ['an address of another machine', ['192.0.2.1', '0', 'x'], 111, /address not available/],
  ['too few arguments', ['127.0.0.1', '0'], 100, /too few arguments/],
  ['an unknown user', ['--user', 'no-such-user', '127.0.0.1', '0', 'x'], 100, /no such user/],
  ['root as the user', ['--user', 'root', '127.0.0.1', '0', 'x'], 100, /root needs no option/],
  ['a missing rules file', ['--rules', 'none', '127.0.0.1', '0', 'x'], 100, /none: cannot be read/],
  ['no slots at all', ['--concurrency', '0', '127.0.0.1', '0', 'x'], 100, /--concurrency needs/],
];

for (const [title, args, status, message] of refused) {
  t.test(`${title} ends it with ${status} and a reason`, async (t) => {
    const result = await runProgram(t, 'tcpsrun', args);
    t.equal(result.status, status);
    t.match(result.stderr, message);
  });
}

t.test('with --log syslog, why it did not start is there', async (t) => {
  const logger = recordingLogger(t);
  const args = ['--log', 'syslog', '192.0.2.1', '0', 'x'];
  const result = await runProgram(t, 'tcpsrun', args, { env: { PATH: logger.path } });
  t.equal(result.status, 111);
  t.match(
    await logger.recorded(3),
    /temporary failure: cannot listen on 192\.0\.2\.1 port 0: address not available/,
  );
});

t.test('a port that is taken ends it with 111', async (t) => {
  const { port } = await startTcpsrun(t, { runFile: greeter });
  const result = await runProgram(t, 'tcpsrun', ['127.0.0.1', String(port), 'x.run']);
  t.equal(result.status, 111);
  t.match(result.stderr, /cannot listen on 127\.0\.0\.1 port [0-9]+: address already in use/);
});

t.test(
  '--user changes user and groups after binding',
  { skip: process.getuid?.() !== 0 && 'only root can do this' },
  async (t) => {
    const { connect } = await startTcpsrun(t, {
      runFile: 'program /usr/bin/id\nargument id\n',
      options: ['--user', 'nobody'],
    });
    const { received } = await connect().end();
    t.match(received, /^uid=[0-9]+\(nobody\) gid=[0-9]+\(nogroup\) groups=[0-9]+\(nogroup\)$/m);
  },
);

t.test(
  "--group may be root, which gives root's group and nothing else of root",
  { skip: process.getuid?.() !== 0 && 'only root can do this' },
  async (t) => {
    const { connect } = await startTcpsrun(t, {
      runFile: 'program /usr/bin/id\nargument id\n',
      options: ['--user', 'games', '--group', 'root'],
    });
    const { received } = await connect().end();
    t.match(received, /^uid=[0-9]+\(games\) gid=0\(root\) groups=0\(root\),[0-9]+\(games\)$/m);
  },
);

t.test(
  'a passed socket is used instead of address and port',
  { skip: tryFindProgram('systemd-socket-activate') === null && 'no systemd-socket-activate' },
  async (t) => {
    const directory = testFolder(t, { 'test.run': shellRunFile('echo level %4 port %1; env') });
    const port = await freePort();
    const program = startCommand(
      t,
      'systemd-socket-activate',
      [
        `--listen=127.0.0.1:${port}`,
        process.execPath,
        builtProgram('tcpsrun'),
        '192.0.2.1',
        'pop3',
        'test.run',
      ],
      { cwd: directory },
    );
    await program.logLine(/Listening on/);
    const { received } = await new Client(port, '127.0.0.1').end();
    t.match(received, /^level 1 port pop3\n/);
    t.notMatch(received, /^LISTEN_/m);
    await program.logLine(new RegExp(`listening address=127.0.0.1 port=${port}`));
  },
);
