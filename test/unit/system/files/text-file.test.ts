import { execFileSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readTextFile } from '../../../../src/system/files/text-file.js';

t.test('text is read whole, without its byte order mark', (t) => {
  const root = t.testdir({ a: '\ufeffgr\u00fc\u00dfe\n', empty: '' });
  t.equal(readTextFile(join(root, 'a'), 100), 'gr\u00fc\u00dfe\n');
  t.equal(readTextFile(join(root, 'empty'), 0), '');
  t.end();
});

t.test('what is no readable regular text is refused, a FIFO without waiting', (t) => {
  const root = t.testdir({ folder: {} });
  execFileSync('mkfifo', [join(root, 'fifo')]);
  symlinkSync('loop', join(root, 'loop'));
  writeFileSync(join(root, 'nul'), 'a\0b');
  writeFileSync(join(root, 'latin1'), Buffer.from([0x67, 0xfc]));
  const wrong = {
    none: 'cannot be read: no such file',
    'latin1/x': 'cannot be read: no such file',
    folder: 'is not a regular file',
    fifo: 'is not a regular file',
    loop: 'cannot be read: a loop of symbolic links',
    nul: 'has a NUL byte in it',
    latin1: 'is not UTF-8 text',
  };
  for (const [name, message] of Object.entries(wrong)) {
    t.throws(() => readTextFile(join(root, name), 100), { message });
  }
  t.end();
});

t.test('a file may have as many bytes as allowed and not one more', (t) => {
  const root = t.testdir({ a: 'x'.repeat(70_000) });
  t.equal(readTextFile(join(root, 'a'), 70_000).length, 70_000);
  t.throws(() => readTextFile(join(root, 'a'), 69_999), { message: 'has more than 69999 bytes' });
  t.end();
});
