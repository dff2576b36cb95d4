import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { poll } from '../support/suite/deadline.js';
import {
  builtProgram,
  runProgram,
  startCommand,
  startProgram,
  type RunningProgram,
} from '../support/programs/run-program.js';
import { Client, shellRunFile } from '../support/programs/tcpsrun-fixture.js';
import { testFolder } from '../support/suite/test-folder.js';

function startRunsvc(t: Test, cwd: string, ...args: readonly string[]): RunningProgram {
  return startProgram(t, 'runsvc', args, { cwd });
}

t.test('--once runs the program and exits with its status', async (t) => {
  const cwd = testFolder(t, { 'x.run': shellRunFile('echo %1 %2; exit 7') });
  const result = await runProgram(t, 'runsvc', ['--once', 'x.run', 'name', 'more'], { cwd });
  t.equal(result.stdout.toString(), 'name more\n');
  t.equal(result.status, 7);
});

t.test('--once exits with 128 and the number of the signal that ended the program', async (t) => {
  const cwd = testFolder(t, { 'x.run': shellRunFile('kill -9 $$') });
  t.equal((await runProgram(t, 'runsvc', ['--once', 'x.run'], { cwd })).status, 137);
});

t.test('a program that ends is started again, at most once a second', async (t) => {
  const cwd = testFolder(t, { 'x.run': shellRunFile('date +%%s%%N >> starts') });
  const program = startRunsvc(t, cwd, 'x.run');
  const starts = await poll('three starts', () => {
    const lines = program.stderr.match(/ start /g)?.length ?? 0;
    return Promise.resolve(
      lines >= 3 ? readFileSync(join(cwd, 'starts'), 'latin1').trim().split('\n') : undefined,
    );
  });
  const [first = '', second = ''] = starts;
  // The program takes its time to say when it started; both do.
  t.ok(Number(second) - Number(first) > 0.8e9, `${first} ${second}`);
  program.kill('SIGTERM');
  t.same(await program.ending, { status: 0, signal: null });
});

t.test('SIGTERM is passed on, waited for, and answered with 0', async (t) => {
  const cwd = testFolder(t, {
    'x.run': shellRunFile(
      "trap 'echo told >&2; kill $!; exit 3' TERM; sleep 60 2>&- >&- & echo ready >&2; wait",
    ),
  });
  const program = startRunsvc(t, cwd, 'x.run');
  await program.logLine(/^ready$/);
  program.kill('SIGTERM');
  t.same(await program.ending, { status: 0, signal: null });
  t.match(program.stderr, /^told$/m);
  t.match(program.stderr, /end pid=[0-9]+ status=3 seconds=/);
});

for (const [signal, name] of [
  ['SIGHUP', 'HUP'],
  ['SIGUSR1', 'USR1'],
] as const) {
  t.test(`${signal} is passed on, and the program goes on`, async (t) => {
    const cwd = testFolder(t, {
      'x.run': shellRunFile(
        `trap 'echo told >&2' ${name}; trap 'kill $!; exit 0' TERM; sleep 60 2>&- >&- & echo ready >&2; wait; wait`,
      ),
    });
    const program = startRunsvc(t, cwd, 'x.run');
    await program.logLine(/^ready$/);
    program.kill(signal);
    await program.logLine(/^told$/);
    program.kill('SIGTERM');
    t.same(await program.ending, { status: 0, signal: null });
  });
}

t.test('SIGTERM while it waits to start again ends it', async (t) => {
  const cwd = testFolder(t, { 'x.run': shellRunFile('exit 0') });
  const program = startRunsvc(t, cwd, 'x.run');
  await program.logLine(/ end pid=/);
  program.kill('SIGTERM');
  t.same(await program.ending, { status: 0, signal: null });
});

t.test('a run file that is wrong at the start ends it with 100', async (t) => {
  const cwd = testFolder(t, { 'x.run': 'program sh\nargument %1\n' });
  const result = await runProgram(t, 'runsvc', ['x.run'], { cwd });
  t.equal(result.status, 100);
  t.match(result.stderr, /x\.run:2: argument: parameter %1 is not set/);
});

t.test("the seed's two run files serve with Unix paths, through runsvc and tcpsrun", async (t) => {
  const root = testFolder(t, { Services: {}, Apps: {}, Mail: {} });
  mkdirSync(join(root, 'Services/Pop'));
  mkdirSync(join(root, 'Mail/Personal'));
  writeFileSync(join(root, 'Apps/POP3D'), '#!/bin/sh\necho "+OK $PWD $*" >&$1\n');
  writeFileSync(
    join(root, 'Apps/TCPSRun'),
    `#!/bin/sh\nexec ${process.execPath} ${builtProgram('tcpsrun')} "$@"\n`,
  );
  chmodSync(join(root, 'Apps/POP3D'), 0o755);
  chmodSync(join(root, 'Apps/TCPSRun'), 0o755);
  // Seed 002's, but for the separators, the suffixes and a port that anybody may open.
  writeFileSync(
    join(root, 'Services/Pop/TCPService.RUN'),
    '  chdir %IMAPROOT%/Personal/\n  program %APPS%/POP3D\n  argument POP3D\n  argument %3\n',
  );
  writeFileSync(
    join(root, 'Service.RUN'),
    '  chdir %_BOOT%/Services/%1\n  program %APPS%/TCPSRun\n  argument TCPSRun\n' +
      '  argument 0.0.0.0\n  argument 0\n  argument TCPService.RUN\n',
  );
  const program = startCommand(
    t,
    '/usr/bin/env',
    [
      `APPS=${root}/Apps`,
      `IMAPROOT=${root}/Mail`,
      `_BOOT=${root}`,
      process.execPath,
      builtProgram('runsvc'),
      'Service.RUN',
      'Pop',
    ],
    { cwd: root },
  );
  const [, port = ''] = await program.logLine(/tcpsrun: listening address=\S+ port=([0-9]+)/);
  const { received } = await new Client(Number(port), '127.0.0.1').end();
  t.equal(received, `+OK ${root}/Mail/Personal 3\n`);
  program.kill('SIGTERM');
  t.same(await program.ending, { status: 0, signal: null });
  t.match(program.stderr, /tcpsrun: stopped/);
});
