import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { isTemporaryNameOf, replaceFile } from '../../../../src/system/files/replace-file.js';

t.test('a file is made, and replaced, and nothing else is left', async (t) => {
  const root = t.testdir({});
  await replaceFile(join(root, 'a'), ['one', ' ', 'tw\u00f6'], 'utf8', { mode: 0o600 });
  t.equal(readFileSync(join(root, 'a'), 'utf8'), 'one tw\u00f6');
  t.equal(statSync(join(root, 'a')).mode & 0o777, 0o600);
  await replaceFile(join(root, 'a'), ['\u00ff'], 'latin1', { isDurable: true });
  t.same(readFileSync(join(root, 'a')), Buffer.from([0xff]));
  t.same(readdirSync(root), ['a']);
});

t.test('the old file keeps its rights and owner where that is asked for', async (t) => {
  const root = t.testdir({ a: 'old' });
  chmodSync(join(root, 'a'), 0o4640);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chownSync(join(root, 'a'), 1234, 1235);
  await replaceFile(join(root, 'a'), ['new'], 'utf8', { keepsOwner: true });
  const { mode, uid, gid } = statSync(join(root, 'a'));
  t.equal(mode & 0o7777, 0o640, 'but not the right to run as its owner');
  if (isRoot) t.same([uid, gid], [1234, 1235]);
});

t.test('a link in the place of the file is replaced, and what it leads to stays', async (t) => {
  const root = t.testdir({ secret: 'secret' });
  chmodSync(join(root, 'secret'), 0o600);
  symlinkSync('secret', join(root, 'a'));
  await replaceFile(join(root, 'a'), ['new'], 'utf8', { keepsOwner: true });
  t.ok(lstatSync(join(root, 'a')).isFile());
  t.equal(readFileSync(join(root, 'secret'), 'utf8'), 'secret');
});

t.test('other names of the old file keep the old text', async (t) => {
  const root = t.testdir({ a: 'old' });
  linkSync(join(root, 'a'), join(root, 'b'));
  await replaceFile(join(root, 'a'), ['new'], 'utf8');
  t.equal(readFileSync(join(root, 'b'), 'utf8'), 'old');
});

t.test('a text whose making fails leaves the old one, and nothing else', async (t) => {
  const root = t.testdir({ a: 'old', folder: {} });
  function* pieces() {
    yield 'half';
    throw new Error('no more');
  }
  await t.rejects(replaceFile(join(root, 'a'), pieces(), 'utf8'), { message: 'no more' });
  t.equal(readFileSync(join(root, 'a'), 'utf8'), 'old');
  await t.rejects(replaceFile(join(root, 'folder'), ['new'], 'utf8'), { code: 'EISDIR' });
  await t.rejects(replaceFile(join(root, 'a/b'), ['new'], 'utf8'), { code: 'ENOTDIR' });
  t.same(readdirSync(root), ['a', 'folder']);
});

t.test(
  'a temporary file is written in the folder that is named, and is known by its name',
  async (t) => {
    const root = t.testdir({ tmp: {} });
    let during: string[] = [];
    function* pieces() {
      during = readdirSync(join(root, 'tmp'));
      yield 'text';
    }
    await replaceFile(join(root, 'a.b'), pieces(), 'utf8', { temporaryFolder: join(root, 'tmp') });
    t.same(
      during.map((name) => isTemporaryNameOf(name, 'a.b')),
      [true],
    );
    t.same(readdirSync(join(root, 'tmp')), []);
    t.same(
      ['a.b', 'a.b.1.0123456789a', 'a.b.1.0123456789ab.c', 'a.c.1.0123456789ab'].filter((name) =>
        isTemporaryNameOf(name, 'a.b'),
      ),
      [],
    );
  },
);
