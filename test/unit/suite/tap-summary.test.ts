import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';

const summary = fileURLToPath(new URL('../../support/suite/tap-summary.js', import.meta.url));

function summarise(t: Test, tap: string): { status: number | null; stdout: string } {
  const folder = t.testdir({ 'results.tap': tap });
  return spawnSync(process.execPath, [summary, `${folder}/results.tap`], { encoding: 'utf8' });
}

t.test('what failed is told from the file down to the assertion, once', (t) => {
  const { status, stdout } = summarise(
    t,
    `TAP version 14
# Subtest: build/a.test.js
    # Subtest: one
        ok 1 - fine
        not ok 2 - should be equal
        1..2
    not ok 1 - one # time=3ms
    1..1
not ok 1 - build/a.test.js # time=5ms
# Subtest: build/b.test.js
    1..0
not ok 2 - build/b.test.js # time=5ms
# { total: 3, pass: 1, fail: 2 }
`,
  );
  t.equal(status, 1);
  t.equal(
    stdout,
    'failed: build/a.test.js: one: should be equal\nfailed: build/b.test.js\n1 passed, 2 failed\n',
  );
  t.end();
});

t.test('a run that did not come to its end has failed', (t) => {
  const { status, stdout } = summarise(t, 'TAP version 14\nok 1 - fine\n');
  t.equal(status, 1);
  t.equal(stdout, '0 passed, 0 failed\n');
  t.end();
});

t.test('results on other versions of Node are named, and counted with the rest', (t) => {
  const folder = t.testdir({
    'test-results.tap': 'ok 1 - a\n1..1\n# { total: 1, pass: 1 }\n',
    'test-results-node-26.tap': 'not ok 1 - b\n1..1\n# { total: 3, pass: 2, fail: 1 }\n',
  });
  const files = ['test-results.tap', 'test-results-node-26.tap', 'test-results-node-27.tap'];
  const { status, stdout } = spawnSync(
    process.execPath,
    [summary, ...files.map((file) => `${folder}/${file}`)],
    { encoding: 'utf8' },
  );
  t.equal(status, 1);
  t.match(stdout, /^no test results: .*node-27/);
  t.match(stdout, 'failed: Node 26: b\nNode 26: 2 passed, 1 failed\n');
  t.match(stdout, /\n3 passed, 1 failed\n$/);
  t.end();
});
