import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readRunFile } from '../../../src/run-file/read-run-file.js';

t.test('a run file on disk is parsed, and its errors name it as it was given', (t) => {
  const root = t.testdir({ 'good.run': 'program a\n', 'bad.run': 'program a\nnonsense\n' });
  t.equal(readRunFile(join(root, 'good.run')).directives.length, 1);
  t.throws(() => readRunFile(join(root, 'bad.run')), {
    message: `${root}/bad.run:2: unknown directive "nonsense"`,
  });
  t.throws(() => readRunFile(join(root, 'none.run')), {
    message: `${root}/none.run: cannot be read: no such file`,
  });
  t.end();
});

t.test('a run file of over 65536 bytes is refused', (t) => {
  const root = t.testdir({ 'big.run': `program a\n: ${'x'.repeat(65_536)}\n` });
  t.throws(() => readRunFile(join(root, 'big.run')), { message: /has more than 65536 bytes/ });
  t.end();
});

t.test('an edit is seen at once, also one within the grain of time stamps', (t) => {
  const path = join(t.testdir({}), 'a.run');
  for (const letter of ['a', 'b', 'c']) {
    writeFileSync(path, `program ${letter}\n`);
    t.match(JSON.stringify(readRunFile(path).directives), `"${letter}"`);
  }
  t.end();
});
