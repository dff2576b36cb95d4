import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runProgram, type Result } from '../support/programs/run-program.js';
import { testFolder } from '../support/suite/test-folder.js';

const text = '# who may read\n127.0.0.1/8 2 # us\n10.0.0.0/8 0\ndefault 1\n';

function fixture(t: Test, rules: Record<string, string> = { rules: text }) {
  const cwd = testFolder(t, rules);
  return {
    run: (...args: readonly string[]): Promise<Result> =>
      runProgram(t, 'tcprule', ['rules', ...args], { cwd }),
    text: () => readFileSync(join(cwd, 'rules'), 'utf8'),
    write: (replacement: string) => {
      writeFileSync(join(cwd, 'rules'), replacement);
    },
  };
}

t.test('list prints the rules as they are understood', async (t) => {
  const { run } = fixture(t);
  const { status, stdout } = await run('LIST');
  t.equal(status, 0);
  t.equal(stdout.toString(), '127.0.0.0/8 2\n10.0.0.0/8 0\ndefault 1\n');
});

t.test('add changes a level in its place, and appends what is new', async (t) => {
  const { run, text } = fixture(t);
  t.equal((await run('add', '127.99.0.0/8', '3')).status, 0);
  t.equal((await run('add', '2001:DB8::1', '1')).status, 0);
  t.equal(
    text(),
    '# who may read\n127.0.0.1/8 3 # us\n10.0.0.0/8 0\ndefault 1\n2001:db8::1/128 1\n',
  );
});

t.test('add makes the file when there is none', async (t) => {
  const { run, text } = fixture(t, {});
  t.equal((await run('add', 'default', '1')).status, 0);
  t.equal(text(), 'default 1\n');
});

t.test('delete removes a rule, and is answered with 1 when there is none', async (t) => {
  const { run, text: now } = fixture(t);
  t.equal((await run('delete', '10.1.2.3/8')).status, 0);
  t.equal((await run('delete', '10.1.2.3/8')).status, 1);
  t.equal(now(), text.replace('10.0.0.0/8 0\n', ''));
});

const queries: readonly (readonly [target: string, answer: string])[] = [
  ['127.0.0.1', 'rules:2: 127.0.0.0/8 2\n'],
  ['::ffff:10.1.1.1', 'rules:3: 10.0.0.0/8 0\n'],
  ['10.0.0.0/7', 'rules:4: default 1\n'],
  ['::1', 'rules:4: default 1\n'],
];

for (const [target, answer] of queries) {
  t.test(`query ${target} prints the rule that decides`, async (t) => {
    const { run } = fixture(t);
    const { status, stdout } = await run('query', target);
    t.equal(status, 0);
    t.equal(stdout.toString(), answer);
  });
}

t.test('query is answered with 1 when no rule decides', async (t) => {
  const { run } = fixture(t, { rules: '10.0.0.0/8 1\n' });
  const { status, stdout } = await run('query', '11.0.0.1');
  t.equal(status, 1);
  t.equal(stdout.toString(), '');
});

t.test('a file with a wrong line is not edited', async (t) => {
  const { run, text, write } = fixture(t);
  write('default 1\nbroken\n');
  const result = await run('add', '10.0.0.0/8', '1');
  t.equal(result.status, 100);
  t.match(result.stderr, /rules:2: "broken" has no level after it/);
  t.equal(text(), 'default 1\nbroken\n');
});

const wrong: readonly (readonly [args: readonly string[], message: RegExp])[] = [
  [['frobnicate'], /unknown command "frobnicate"/],
  [['__proto__'], /unknown command/],
  [['add', '10.0.0.0/8'], /add takes 2 more arguments, not 1/],
  [['add', '10.0.0.0/33', '1'], /"\/33" is no prefix length/],
  [['add', '10.0.0.0/8', '-1'], /unknown option -1/],
  [['add', '10.0.0.0/8', '2147483648'], /"2147483648" is no level/],
  [['query', 'mail.example'], /"mail\.example" is no IPv4 or IPv6 address/],
  [['list', 'x'], /list takes 0 more arguments/],
];

for (const [args, message] of wrong) {
  t.test(`tcprule rules ${args.join(' ')} is a usage error`, async (t) => {
    const { run, text: now } = fixture(t);
    const result = await run(...args);
    t.equal(result.status, 100);
    t.match(result.stderr, message);
    t.equal(now(), text);
  });
}

t.test('without a file there is nothing to list, query or delete', async (t) => {
  const { run } = fixture(t, {});
  for (const args of [['list'], ['query', '::1'], ['delete', '::1']]) {
    const result = await run(...args);
    t.equal(result.status, 100);
    t.match(result.stderr, /rules: cannot be read: no such file/);
  }
});

t.test('edits that come together are all done', async (t) => {
  const { run, text } = fixture(t, { rules: '' });
  const targets = ['10.0.0.0/8', '11.0.0.0/8', '12.0.0.0/8', '13.0.0.0/8', '14.0.0.0/8'];
  const results = await Promise.all(targets.map((target) => run('add', target, '1')));
  t.same(
    results.map(({ status }) => status),
    [0, 0, 0, 0, 0],
  );
  t.same(
    text().trim().split('\n').sort(),
    targets.map((target) => `${target} 1`),
  );
});

t.test('a folder that is not there is told in words', async (t) => {
  const { stderr } = await runProgram(t, 'tcprule', ['/nonexistent/rules', 'add', 'default', '1']);
  t.equal(
    stderr,
    'tcprule: temporary failure: cannot lock /nonexistent/rules.lock: no such file or directory\n',
  );
});
