import {
  chmodSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { editFile } from '../../../../src/system/files/edit-file.js';
import { lockFile } from '../../../../src/system/files/file-lock.js';

t.test(
  'a new text takes the place of the old, with its mode, and nothing but the lock is left',
  async (t) => {
    const root = t.testdir({ a: 'old' });
    chmodSync(join(root, 'a'), 0o640);
    t.equal(await editFile(join(root, 'a'), (path) => `${readFileSync(path, 'utf8')}+new`), true);
    t.equal(readFileSync(join(root, 'a'), 'utf8'), 'old+new');
    t.equal(statSync(join(root, 'a')).mode & 0o777, 0o640);
    t.same(readdirSync(root), ['a', 'a.lock']);
  },
);

t.test('an editor that returns null, or throws, changes nothing', async (t) => {
  const root = t.testdir({ a: 'old' });
  t.equal(await editFile(join(root, 'a'), () => null), false);
  await t.rejects(
    editFile(join(root, 'a'), () => {
      throw new Error('not today');
    }),
    { message: 'not today' },
  );
  t.equal(readFileSync(join(root, 'a'), 'utf8'), 'old');
  t.same(readdirSync(root), ['a', 'a.lock']);
});

t.test('a symbolic link stays, and the file behind it changes', async (t) => {
  const root = t.testdir({ folder: { a: 'old' } });
  symlinkSync('folder/a', join(root, 'link'));
  await editFile(join(root, 'link'), () => 'new');
  t.ok(lstatSync(join(root, 'link')).isSymbolicLink());
  t.equal(readFileSync(join(root, 'folder/a'), 'utf8'), 'new');
});

t.test('a lock that another holds is respected', async (t) => {
  const root = t.testdir({ a: 'old' });
  const lock = await lockFile(join(root, 'a.lock'));
  await t.rejects(
    editFile(join(root, 'a'), () => 'new', 50),
    { message: /a\.lock is locked/ },
  );
  t.equal(readFileSync(join(root, 'a'), 'utf8'), 'old');
  lock.release();
  t.equal(await editFile(join(root, 'a'), () => 'new', 50), true);
});

t.test(
  'a link that earlier versions left as a lock does not block, whoever runs now',
  async (t) => {
    const root = t.testdir({ a: 'old' });
    symlinkSync(String(process.pid), join(root, 'a.lock'));
    await editFile(join(root, 'a'), () => 'new', 0);
    t.equal(readFileSync(join(root, 'a'), 'utf8'), 'new');
  },
);

t.test('what is no lock in the place of a lock is named and left alone', async (t) => {
  const root = t.testdir({ a: 'old', b: 'old', 'b.lock': 'text', other: '' });
  symlinkSync('other', join(root, 'a.lock'));
  await t.rejects(
    editFile(join(root, 'a'), () => 'new', 0),
    { name: 'ConfigurationError', message: /a\.lock is a symbolic link/ },
  );
  await t.rejects(
    editFile(join(root, 'b'), () => 'new', 0),
    { name: 'ConfigurationError', message: /b\.lock is not empty/ },
  );
  t.equal(readFileSync(join(root, 'a'), 'utf8'), 'old');
});

t.test('editors that come together lose no edit', async (t) => {
  const root = t.testdir({});
  const file = join(root, 'a');
  writeFileSync(file, '');
  const add = (path: string): string => `${readFileSync(path, 'utf8')}x`;
  // Who waits gets the lock by luck: on a slow machine not always in the usual time.
  await Promise.all(Array.from({ length: 20 }, () => editFile(file, add, 120_000)));
  t.equal(readFileSync(file, 'utf8'), 'x'.repeat(20));
});
