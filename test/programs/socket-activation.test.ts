// tcpsrun with a socket that a service manager passes: a listening one, and all that is not.

import t, { type Test } from 'tap';
import { unlessInstalled, unlessRoot } from '../support/peers/debian.js';
import {
  builtProgram,
  startCommand,
  type RunningProgram,
} from '../support/programs/run-program.js';
import { Client, shellRunFile } from '../support/programs/tcpsrun-fixture.js';

const skip = unlessInstalled('python3');

/** Makes a descriptor 3 and becomes a command, as a service manager does. */
const pass = (make: string, count: string): string => `
import os, socket, sys
made = ${make}
if made is not None:
    os.dup2(made.fileno(), 3)
    os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='${count}')
os.execvp(sys.argv[1], sys.argv[1:])
`;
import { testFolder } from '../support/suite/test-folder.js';

interface Passed {
  /** A Python expression for a socket or file; None: nothing. */
  readonly make: string;
  readonly count?: string;
  /** What becomes tcpsrun. */
  readonly wrapper?: readonly string[];
}

function startWithPassed(t: Test, { make, count = '1', wrapper = [] }: Passed): RunningProgram {
  const cwd = testFolder(t, { 'test.run': shellRunFile('echo served') });
  const command = [...wrapper, process.execPath, builtProgram('tcpsrun')];
  const args = ['-c', pass(make, count), ...command, '127.0.0.1', '0', 'test.run'];
  return startCommand(t, 'python3', args, { cwd });
}

const listening = "socket.create_server(('127.0.0.1', 0))";

t.test('a listening socket is served, whatever the address says', { skip }, async (t) => {
  const tcpsrun = startWithPassed(t, { make: listening });
  const [, port] = await tcpsrun.logLine(/listening address=127\.0\.0\.1 port=([0-9]+)/);
  t.equal((await new Client(Number(port), '127.0.0.1').end()).received, 'served\n');
});

t.test(
  "so is one of the machine's network by a service that has a network of its own",
  { skip: skip || unlessInstalled('unshare') || unlessRoot() },
  async (t) => {
    const tcpsrun = startWithPassed(t, { make: listening, wrapper: ['unshare', '-n'] });
    const [, port] = await tcpsrun.logLine(/listening address=127\.0\.0\.1 port=([0-9]+)/);
    t.equal((await new Client(Number(port), '127.0.0.1').end()).received, 'served\n');
  },
);

const wrong: readonly (readonly [what: string, make: string, message: RegExp])[] = [
  ['a socket that is not bound', 'socket.socket()', /^passed as a listening socket and is none$/],
  [
    'a socket that is bound and does not listen',
    "(lambda s: (s.bind(('127.0.0.1', 0)), s)[1])(socket.socket())",
    /^passed as a listening socket and is none$/,
  ],
  [
    'a connection, as with Accept=yes',
    `(lambda l: (globals().update(l=l), socket.create_connection(l.getsockname()))[1])(${listening})`,
    /^invalid argument$/,
  ],
  ['a UDP socket', 'socket.socket(type=socket.SOCK_DGRAM)', /^invalid argument$/],
  ['a file', "open('test.run')", /^invalid argument$/],
  ['nothing', 'None', /^invalid argument$/],
];

for (const [what, make, message] of wrong) {
  t.test(`${what} is no listening socket and ends it with 100`, { skip }, async (t) => {
    const { status, stderr } = await startWithPassed(t, { make }).finish();
    t.equal(status, 100);
    const [, why = ''] =
      /^tcpsrun: fatal: (?:descriptor 3 was|cannot listen on descriptor 3:) (.*)\n$/.exec(stderr) ??
      [];
    t.match(why, message, stderr);
  });
}

t.test('a LISTEN_FDS that is no number ends it with 100', { skip }, async (t) => {
  for (const count of ['abc', '-1']) {
    const { status, stderr } = await startWithPassed(t, { make: listening, count }).finish();
    t.equal(status, 100);
    t.match(stderr, /^tcpsrun: fatal: environment variable LISTEN_FDS .*\n$/);
    t.match(stderr, `"${count}"`);
  }
});
