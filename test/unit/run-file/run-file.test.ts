import t from 'tap';
import { parseRunFile } from '../../../src/run-file/run-file.js';

t.test('every directive is read with its line', (t) => {
  const text = [
    ': a comment',
    '  : another',
    '',
    'chdir /srv/mail',
    '\tprogram  "/opt/a program"  ',
    'argument ""',
    'argument "say \\"hi\\" \\ %%"\r',
    'setenv NAME "a value"',
    'unsetenv OTHER',
    'clearenv',
  ].join('\n');
  t.same(parseRunFile(text, 'x.run').directives, [
    { line: 4, keyword: 'chdir', value: ['/srv/mail'] },
    { line: 5, keyword: 'program', value: ['/opt/a program'] },
    { line: 6, keyword: 'argument', value: [] },
    { line: 7, keyword: 'argument', value: ['say "hi" \\ ', '%'] },
    { line: 8, keyword: 'setenv', name: 'NAME', value: ['a value'] },
    { line: 9, keyword: 'unsetenv', name: 'OTHER' },
    { line: 10, keyword: 'clearenv' },
  ]);
  t.end();
});

t.test('backslashes outside quotation marks are themselves', (t) => {
  t.same(parseRunFile('program C:\\bin\\', 'x').directives[0], {
    line: 1,
    keyword: 'program',
    value: ['C:\\bin\\'],
  });
  t.end();
});

const wrong: readonly (readonly [text: string, message: string])[] = [
  ['', 'x.run: names no program'],
  ['argument a', 'x.run: names no program'],
  ['program a\nprogram b', 'x.run:2: program: given already on line 1'],
  ['program', 'x.run:1: program: needs a value'],
  ['Program a', 'x.run:1: unknown directive "Program"'],
  ['constructor a', 'x.run:1: unknown directive "constructor"'],
  ['program a\nexec b', 'x.run:2: unknown directive "exec"'],
  [
    'program a b',
    'x.run:1: program: unexpected "b" (a value with spaces stands in quotation marks)',
  ],
  ['program "a', 'x.run:1: program: a quotation mark is out of place or not closed'],
  ['program "a"b', 'x.run:1: program: a quotation mark is out of place or not closed'],
  ['program a"b"', 'x.run:1: program: a quotation mark is out of place or not closed'],
  ['program "a\\"', 'x.run:1: program: a quotation mark is out of place or not closed'],
  ['program "', 'x.run:1: program: a quotation mark is out of place or not closed'],
  ['program a%', 'x.run:1: program: a percent sign stands alone (write %% for one)'],
  ['setenv A', 'x.run:1: setenv: needs a name and a value'],
  ['setenv A=B C', 'x.run:1: setenv: "A=B" is no name of an environment variable'],
  ['unsetenv ""', 'x.run:1: unsetenv: "" is no name of an environment variable'],
  [
    'clearenv all',
    'x.run:1: clearenv: unexpected "all" (a value with spaces stands in quotation marks)',
  ],
];

for (const [text, message] of wrong) {
  t.test(`${JSON.stringify(text)} is an error: ${message}`, (t) => {
    t.throws(() => parseRunFile(text, 'x.run'), { message });
    t.end();
  });
}

t.test('a long line without a closing quotation mark is refused in no time', (t) => {
  const started = performance.now();
  t.throws(() => parseRunFile(`program "${'\\"'.repeat(30_000)}`, 'x.run'), {
    message: /not closed/,
  });
  t.ok(performance.now() - started < 1000);
  t.end();
});
