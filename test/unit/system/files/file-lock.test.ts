import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { lockFile } from '../../../../src/system/files/file-lock.js';

const module = new URL('../../../../src/system/files/file-lock.js', import.meta.url).href;

/** Takes the lock in a process of its own, and says so with a line. */
function startHolder(path: string) {
  const script = `import { lockFile } from ${JSON.stringify(module)};
    await lockFile(${JSON.stringify(path)});
    process.stdout.write('locked\\n');
    setInterval(() => undefined, 1000);`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

t.test('one holder at a time, in one process too', async (t) => {
  const path = join(t.testdir(), 'lock');
  const lock = await lockFile(path);
  await t.rejects(lockFile(path), { name: 'TemporaryError', message: `${path} is locked` });
  lock.release();
  (await lockFile(path)).release();
});

t.test('who waits gets the lock when its holder is killed', async (t) => {
  const path = join(t.testdir(), 'lock');
  const holder = startHolder(path);
  await once(holder.stdout, 'data');
  await t.rejects(lockFile(path), { message: `${path} is locked` });
  const waiting = lockFile(path, { patienceMs: 60_000 });
  holder.kill('SIGKILL');
  (await waiting).release();
});

t.test('a new lock file has the rights of what it protects', async (t) => {
  const root = t.testdir({ rules: '' });
  chmodSync(join(root, 'rules'), 0o660);
  const like = statSync(join(root, 'rules'));
  (await lockFile(join(root, 'rules.lock'), { like })).release();
  t.equal(statSync(join(root, 'rules.lock')).mode & 0o777, 0o660);
  (await lockFile(join(root, 'lock'))).release();
  t.equal(statSync(join(root, 'lock')).mode & 0o777, 0o600);
});

t.test('a lock in a folder that does not exist is an error that names it', async (t) => {
  const path = join(t.testdir(), 'none/lock');
  await t.rejects(lockFile(path), { message: new RegExp(`cannot lock ${path}`) });
});
