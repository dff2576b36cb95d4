import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  requireMetricsFile,
  writeMetricsFile,
} from '../../../../src/launcher/telling/metrics-file.js';
import { recordingLog } from '../../../support/programs/recording-log.js';

t.test('the new text takes the place of the old, and nothing is left beside it', async (t) => {
  const folder = t.testdir({ 'tcpsrun.prom': 'old\n' });
  const file = join(folder, 'tcpsrun.prom');
  const before = statSync(file).ino;
  const { log, lines } = recordingLog();
  const umask = process.umask(0o022);
  t.teardown(() => process.umask(umask));
  await writeMetricsFile(file, 'new\n', log);
  t.equal(readFileSync(file, 'utf8'), 'new\n');
  t.not(statSync(file).ino, before, 'replaced, not rewritten');
  t.equal(statSync(file).mode & 0o444, 0o444, 'collectors can read it');
  t.same(readdirSync(folder), ['tcpsrun.prom']);
  t.equal(lines.length, 0);
});

t.test('what does not work is logged and leaves the old text', async (t) => {
  const folder = t.testdir({ taken: {} });
  const { log, lines } = recordingLog();
  await writeMetricsFile(join(folder, 'missing', 'tcpsrun.prom'), 'new\n', log);
  t.match(lines, [{ event: 'warning', fields: { why: /--metrics: .*: no such file/ } }]);
  await writeMetricsFile(join(folder, 'taken'), 'new\n', log);
  t.match(lines[1], { event: 'warning', fields: { why: /taken: is not a regular file/ } });
  t.same(readdirSync(folder), ['taken'], 'nothing is left behind');
});

t.test('what is no regular file is not replaced, be it a link, a pipe or a device', async (t) => {
  const folder = t.testdir({ other: 'mine\n' });
  symlinkSync('other', join(folder, 'link'));
  spawnSync('mkfifo', [join(folder, 'pipe')]);
  const { log, lines } = recordingLog();
  for (const name of ['link', 'pipe']) await writeMetricsFile(join(folder, name), 'new\n', log);
  t.match(lines, [
    { event: 'warning', fields: { why: /link: is not a regular file/ } },
    { event: 'warning', fields: { why: /pipe: is not a regular file/ } },
  ]);
  t.ok(lstatSync(join(folder, 'link')).isSymbolicLink());
  t.ok(lstatSync(join(folder, 'pipe')).isFIFO());
  t.equal(readFileSync(join(folder, 'other'), 'utf8'), 'mine\n');
});

t.test('whatever lies where a file may be written first, the counters are', async (t) => {
  const folder = t.testdir({ other: 'mine\n' });
  const file = join(folder, 'tcpsrun.prom');
  symlinkSync('other', `${file}.${process.pid}.new`);
  mkdirSync(`${file}.new`);
  const { log, lines } = recordingLog();
  await writeMetricsFile(file, 'new\n', log);
  t.equal(lines.length, 0);
  t.equal(readFileSync(file, 'utf8'), 'new\n');
  t.equal(readFileSync(join(folder, 'other'), 'utf8'), 'mine\n');
});

t.test('a folder that is none, or cannot be searched, is a warning', async (t) => {
  const folder = t.testdir({ file: '', locked: {} });
  chmodSync(join(folder, 'locked'), 0o600);
  const { log, lines } = recordingLog();
  await writeMetricsFile(join(folder, 'file', 'x.prom'), 'new\n', log);
  t.match(lines, [{ event: 'warning', fields: { why: /--metrics: .*: not a directory/ } }]);
  if (process.getuid?.() !== 0) {
    await writeMetricsFile(join(folder, 'locked', 'x.prom'), 'new\n', log);
    t.match(lines[1], { event: 'warning', fields: { why: /--metrics: .*: permission denied/ } });
  }
});

t.test('at the start an empty name, and what is no regular file, is a configuration error', (t) => {
  const folder = t.testdir({ taken: {}, old: 'old\n' });
  symlinkSync('old', join(folder, 'link'));
  t.throws(() => requireMetricsFile(''), { name: 'ConfigurationError', message: /name .* empty/ });
  for (const file of [join(folder, 'taken'), join(folder, 'link'), '/dev/null', '.']) {
    t.throws(() => requireMetricsFile(file), {
      name: 'ConfigurationError',
      message: `option --metrics: ${file}: is not a regular file`,
    });
  }
  for (const name of ['old', 'new', 'missing/new']) {
    t.doesNotThrow(() => requireMetricsFile(join(folder, name)), 'may become one');
  }
  t.end();
});
