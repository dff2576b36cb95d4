// What may stand in the place of a rules file while tcpsrun serves: never a level that no good file gave.

import {
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { runProgram } from '../support/programs/run-program.js';
import {
  replaceText,
  shellRunFile,
  startTcpsrun,
  type Tcpsrun,
} from '../support/programs/tcpsrun-fixture.js';
import { testFolder } from '../support/suite/test-folder.js';

const showLevel = shellRunFile('echo level %4');

/** Somebody whom file modes mean something to. */
const unprivileged = process.getuid?.() === 0 ? ['--user', '61234', '--group', '61234'] : [];

async function levelOf({ connect }: Tcpsrun): Promise<string> {
  const client = connect();
  const { received } = await client.end();
  client.socket.destroy();
  return received.trim();
}

const inItsPlace: readonly {
  readonly title: string;
  readonly put: (file: string) => void;
  readonly problem: string;
}[] = [
  { title: 'nothing', put: (file) => rmSync(file), problem: 'cannot be read: no such file' },
  {
    title: 'a file that may not be read',
    put: (file) => chmodSync(file, 0o000),
    problem: 'cannot be read: permission denied',
  },
  {
    title: 'half a file that is being written',
    put: (file) => writeFileSync(file, '127.0.0.2 7\n127.0.0.1'),
    problem: 'rules:2: ',
  },
  {
    title: 'a FIFO',
    put: (file) => {
      rmSync(file);
      execFileSync('mkfifo', [file]);
    },
    problem: 'is not a regular file',
  },
  {
    title: 'a directory',
    put: (file) => {
      rmSync(file);
      mkdirSync(file);
    },
    problem: 'is not a regular file',
  },
  {
    title: 'a link to a device without end',
    put: (file) => {
      rmSync(file);
      symlinkSync('/dev/zero', file);
    },
    problem: 'is not a regular file',
  },
  {
    title: 'a file of 100 MB',
    put: (file) => truncateSync(file, 100 << 20),
    problem: 'has more than 33554432 bytes',
  },
  {
    title: 'a file of NUL bytes, as a crash may leave it',
    put: (file) => truncateSync(file, 1000),
    problem: 'has a NUL byte in it',
  },
];

for (const { title, put, problem } of inItsPlace) {
  t.test(
    `${title} in the place of the rules keeps the last good ones, and is told once`,
    async (t) => {
      const tcpsrun = await startTcpsrun(t, {
        runFile: showLevel,
        rules: '127.0.0.1 3\n',
        options: unprivileged,
      });
      const file = join(tcpsrun.directory, 'rules');
      t.equal(await levelOf(tcpsrun), 'level 3');
      put(file);
      const levels = await Promise.all(Array.from({ length: 30 }, () => levelOf(tcpsrun)));
      t.same(new Set(levels), new Set(['level 3']));
      tcpsrun.program.kill('SIGHUP');
      const [line] = await tcpsrun.program.logLine(
        /warning why="rules:.*kept="the last good rules"$/,
      );
      t.ok(line.includes(problem), line);
      const mended = join(tcpsrun.directory, 'mended');
      writeFileSync(mended, '127.0.0.1 4\n');
      rmSync(file, { recursive: true, force: true });
      renameSync(mended, file);
      t.equal(await levelOf(tcpsrun), 'level 4');
      // Between the two calls above a late SIGHUP may have found no file at all, which is another problem.
      const told = tcpsrun.program.stderr.split('\n').filter((each) => each.includes(problem));
      t.equal(told.length, 1);
    },
  );

  t.test(`${title} in the place of the rules at the start ends it with 100`, async (t) => {
    const cwd = testFolder(t, { rules: '127.0.0.1 3\n', 'test.run': showLevel });
    put(join(cwd, 'rules'));
    const args = ['--rules', 'rules', ...unprivileged, '127.0.0.1', '0', 'test.run'];
    const { status, stderr } = await runProgram(t, 'tcpsrun', args, { cwd });
    t.equal(status, 100);
    t.ok(stderr.includes(problem), stderr);
    t.notMatch(stderr, /listening/);
  });
}

t.test('rules that are emptied deny everybody, and the log warns of it', async (t) => {
  const tcpsrun = await startTcpsrun(t, { runFile: showLevel, rules: '127.0.0.1 3\n' });
  t.equal(await levelOf(tcpsrun), 'level 3');
  replaceText(tcpsrun, 'rules', '');
  t.equal(await levelOf(tcpsrun), '');
  await tcpsrun.program.logLine(/warning why="rules: has no rules: everybody is denied"$/);
  replaceText(tcpsrun, 'rules', '127.0.0.1 4\n');
  t.equal(await levelOf(tcpsrun), 'level 4');
});

t.test('rules that hold comments only at the start deny everybody, with a warning', async (t) => {
  const tcpsrun = await startTcpsrun(t, { runFile: showLevel, rules: '# nobody yet\n' });
  await tcpsrun.program.logLine(/warning why="rules: has no rules: everybody is denied"$/);
  t.equal(await levelOf(tcpsrun), '');
});

t.test('rules that only deny are no mistake to warn of', async (t) => {
  const tcpsrun = await startTcpsrun(t, { runFile: showLevel, rules: '127.0.0.1 0\n' });
  t.equal(await levelOf(tcpsrun), '');
  t.notMatch(tcpsrun.program.stderr, /warning/);
});

t.test(
  'however the rules are rewritten under load, every client gets a level of a whole file',
  async (t) => {
    const tcpsrun = await startTcpsrun(t, {
      runFile: showLevel,
      rules: 'default 1\n',
      options: ['--concurrency', '8'],
    });
    const file = join(tcpsrun.directory, 'rules');
    const texts = ['default 1\n', 'default 2\n', 'default 3\nnonsense\n', 'default'];
    const seen = new Set<string>();
    let clientCount = 0;
    const load = async (): Promise<void> => {
      while (clientCount < 200) {
        clientCount += 1;
        // In its place at once, as editors should do it.
        const text = texts[clientCount % texts.length] ?? '';
        writeFileSync(`${file}.${clientCount}`, text);
        renameSync(`${file}.${clientCount}`, file);
        seen.add(await levelOf(tcpsrun));
      }
    };
    await Promise.all(Array.from({ length: 4 }, load));
    t.same([...seen].sort(), ['level 1', 'level 2']);
  },
);
