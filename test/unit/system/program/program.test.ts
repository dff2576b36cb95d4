// What all programs do the same way, in processes of their own.

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { PipeFixture } from '../../../support/programs/pipe-fixture.js';
import {
  builtProgram,
  runCommand,
  runProgram,
  startProgram,
} from '../../../support/programs/run-program.js';
import { makeSocketPair } from '../../../support/sessions/socket-pair.js';

const program = 'test/support/programs/minimal-program.js';
const help = `usage: minimal [options] ending [more]

Ends as told.

  --level N  a number
  --help, /HELP, /?, --version

Every --name VALUE may be written /NAME VALUE or /NAME:VALUE, every flag /NAME+ or /NAME-.
Exit status: 0 done, 1 a negative answer, 100 usage or configuration, 111 try again.
`;

for (const argv of [
  ['--help'],
  ['/?'],
  ['/HELP'],
  ['/Help', 'x', 'y', 'z'],
  ['ok', '--help'],
  ['--level', 'x', '--help'],
  ['--help', '--version'],
]) {
  t.test(`${argv.join(' ')} prints the help to stdout and exits 0`, async (t) => {
    const result = await runProgram(t, program, argv);
    t.match(result, { status: 0, stderr: '' });
    t.equal(result.stdout.toString(), help);
  });
}

t.test('--version prints name and version to stdout and exits 0', async (t) => {
  const result = await runProgram(t, program, ['--version']);
  const { version } = JSON.parse(
    readFileSync(new URL('../../../../../package.json', import.meta.url), 'utf8'),
  ) as { version: string };
  t.match(result, { status: 0, stderr: '' });
  t.equal(result.stdout.toString(), `minimal ${version}\n`);
});

const endings: readonly (readonly [argv: readonly string[], status: number, stderr: string])[] = [
  [['ok'], 0, ''],
  [['no'], 1, ''],
  [['own'], 7, ''],
  [['configuration'], 100, 'minimal: fatal: rules:3: no such thing\n'],
  [['shortage'], 111, 'minimal: temporary failure: rules: cannot be read: EMFILE\n'],
  [['forgotten'], 111, 'minimal: internal error: it ended before it was done\n'],
  [['temporary'], 111, 'minimal: temporary failure: the database is locked\n'],
  [[], 100, 'minimal: too few arguments: [options] ending [more]\nminimal: see minimal --help\n'],
  [['ok', 'b', 'c'], 100, 'minimal: unexpected argument "c"\nminimal: see minimal --help\n'],
  [['--nonsense'], 100, 'minimal: unknown option --nonsense\nminimal: see minimal --help\n'],
  [['ok', '--', '--help'], 0, ''],
  [['ok', '--', '--version'], 0, ''],
  [['ok', '/?'], 0, ''],
];

for (const [argv, status, stderr] of endings) {
  t.test(`${JSON.stringify(argv)} exits ${status}`, async (t) => {
    const result = await runProgram(t, program, argv);
    t.equal(result.status, status);
    t.equal(result.stderr, stderr);
    t.equal(result.stdout.toString(), argv[0] === 'ok' && status === 0 ? 'done\n' : '');
  });
}

t.test('a fault in the program is one line with its stack, and exit 111', async (t) => {
  const { status, stderr } = await runProgram(t, program, ['fault']);
  t.equal(status, 111);
  t.match(stderr, /^minimal: internal error: TypeError: a fault\\n .*minimal-program.*\n$/);
});

t.test('control characters in what is wrong forge no line and move no cursor', async (t) => {
  const { stderr } = await runProgram(t, program, ['configuration', '\nx: fatal: y\x1b[2J\u009b']);
  t.equal(
    Buffer.from(stderr, 'latin1').toString(),
    'minimal: fatal: rules:3: no such thing\\nx: fatal: y\\x1b[2J\\x9b\n',
  );
  const usage = await runProgram(t, program, ['ok', 'b', 'c\nd']);
  t.equal(usage.stderr.split('\n').length, 3);
});

t.test('the exit status tells also when stderr is closed', async (t) => {
  const script = 'exec "$0" "$1" --nonsense 2>&-';
  const { status, signal } = await runCommand(t, 'sh', [
    '-c',
    script,
    process.execPath,
    builtProgram(program),
  ]);
  t.match({ status, signal }, { status: 100, signal: null });
});

t.test('the exit status tells also when stderr is full, or a pipe without a reader', async (t) => {
  const fullPipe = new PipeFixture(t);
  fullPipe.fill();
  const full = openSync('/dev/full', 'w');
  for (const fd of [fullPipe.writeFd, full]) {
    const ending = await startProgram(t, program, ['--nonsense'], {
      fds: [null, null, fd],
    }).finish();
    t.match(ending, { status: 100, signal: null });
  }
  closeSync(full);
  fullPipe.closeReader();
  const fds = [null, null, fullPipe.writeFd];
  t.match(await startProgram(t, program, ['temporary'], { fds }).finish(), { status: 111 });
});

for (const kind of ['TCP', 'Unix']) {
  t.test(`a peer whose ${kind} connection is stderr, too, hears of no usage error`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'program-'));
    t.teardown(() => {
      rmSync(folder, { recursive: true });
    });
    const pair = await makeSocketPair(kind === 'Unix' ? join(folder, 'socket') : undefined);
    let heard = '';
    pair.client.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')));
    const closed = new Promise((resolve) => pair.client.once('end', resolve));
    const fds = [pair.server, pair.server, pair.server];
    // Without a logger(1) in PATH: the lines are lost, and still do not reach the peer.
    const running = startProgram(t, program, ['--nonsense'], { fds, env: { PATH: folder } });
    pair.server.destroy();
    t.match(await running.finish(), { status: 100, signal: null });
    await closed;
    t.equal(heard, '');
  });
}

t.test('help for a reader that has gone is no failure', async (t) => {
  const pipe = new PipeFixture(t);
  pipe.closeReader();
  const fds = [null, pipe.writeFd];
  const result = await startProgram(t, program, ['--help'], { fds }).finish();
  t.match(result, { status: 0, signal: null, stderr: '' });
});

t.test('a result that cannot be written is said and exits 111', async (t) => {
  const full = openSync('/dev/full', 'w');
  for (const argument of ['--help', 'ok']) {
    const result = await startProgram(t, program, [argument], { fds: [null, full] }).finish();
    t.match(result, {
      status: 111,
      stderr: /^minimal: temporary failure: cannot write to stdout: ENOSPC.*\n$/,
    });
  }
  closeSync(full);
});

t.test('a wrong /OPTION is named, in capitals or not', async (t) => {
  for (const argv of [['/NONSENSE', 'ok'], ['/NONSENSE'], ['/nonsense', 'ok'], ['/nonsense:1']]) {
    const { status, stderr } = await startProgram(t, program, argv).finish();
    t.equal(status, 100);
    t.match(stderr, /^minimal: unknown option \/nonsense, and no file\n/i, argv.join(' '));
  }
});
