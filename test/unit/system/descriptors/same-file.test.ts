import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { isSameFile } from '../../../../src/system/descriptors/same-file.js';

t.test('descriptors are the same file when device and inode are', (t) => {
  const path = join(t.testdir({ a: '', b: '' }), 'a');
  const fds = [path, path, path.replace(/a$/, 'b'), '/dev/null', '/dev/null'].map((each) =>
    openSync(each, 'r'),
  );
  const [a = -1, alsoA = -1, b = -1, nothing = -1, alsoNothing = -1] = fds;
  t.ok(isSameFile(a, alsoA));
  t.notOk(isSameFile(a, b));
  t.notOk(isSameFile(nothing, alsoNothing), 'nobody listens on /dev/null');
  for (const fd of fds) closeSync(fd);
  t.notOk(isSameFile(a, alsoA), 'closed descriptors are the same as nothing');
  t.end();
});
