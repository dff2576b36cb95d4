import t from 'tap';
import {
  evaluateRunFile,
  runFileUses,
  type Launch,
} from '../../../src/run-file/evaluate-run-file.js';
import { parseRunFile } from '../../../src/run-file/run-file.js';

function evaluate(...lines: readonly string[]): Launch {
  return evaluateRunFile(parseRunFile(lines.join('\n'), 'x.run'), {
    inherited: new Map([['INHERITED', 'in']]),
    facts: new Map([['FACT', 'f']]),
    parameters: ['110'],
    directory: '/start',
  });
}

t.test('arguments keep their order, and the first is argv[0]', (t) => {
  const launch = evaluate('argument zero', 'program prog', 'argument %1');
  t.equal(launch.program, 'prog');
  t.same(launch.arguments, ['zero', '110']);
  t.end();
});

t.test('without arguments argv[0] is the program as written', (t) => {
  t.same(evaluate('program /bin/a').arguments, ['/bin/a']);
  t.end();
});

t.test('a directory is relative to the one before, the first to the current one', (t) => {
  t.equal(evaluate('program a').directory, '/start');
  t.equal(evaluate('program a', 'chdir b', 'chdir c').directory, '/start/b/c');
  t.equal(evaluate('program a', 'chdir b', 'chdir /c').directory, '/c');
  t.end();
});

t.test('a variable is what the lines above made of it', (t) => {
  const launch = evaluate(
    'program a',
    'argument %INHERITED%',
    'setenv INHERITED %INHERITED%+%FACT%',
    'argument %INHERITED%',
  );
  t.same(launch.arguments, ['in', 'in+f']);
  t.equal(launch.environment.get('INHERITED'), 'in+f');
  t.end();
});

t.test('clearenv leaves the facts of the connection and nothing else', (t) => {
  const launch = evaluate(
    'setenv A 1',
    'setenv FACT forged',
    'clearenv',
    'setenv B 2',
    'program a',
  );
  t.same(
    [...launch.environment],
    [
      ['FACT', 'f'],
      ['B', '2'],
    ],
  );
  t.end();
});

t.test('unsetenv removes a variable, a fact too', (t) => {
  t.same(
    [...evaluate('unsetenv FACT', 'unsetenv NONE', 'program a').environment.keys()],
    ['INHERITED'],
  );
  t.end();
});

t.test('a variable that was unset above is an error with file, line and directive', (t) => {
  t.throws(() => evaluate('program a', 'unsetenv FACT', 'argument %FACT%'), {
    message: 'x.run:3: argument: environment variable FACT is not set',
  });
  t.end();
});

t.test('a program or directory that comes to nothing is an error', (t) => {
  t.throws(() => evaluate('setenv E ""', 'program %E%'), {
    message: 'x.run:2: program: the value is empty',
  });
  t.throws(() => evaluate('program a', 'chdir ""'), {
    message: 'x.run:2: chdir: the value is empty',
  });
  t.end();
});

t.test('a parameter in a comment is not used', (t) => {
  const uses = (text: string): boolean => runFileUses(parseRunFile(text, 'x'), { parameter: 3 });
  t.equal(uses('program a\n: argument %3'), false);
  t.equal(uses('program a\nargument --fd=%3'), true);
  t.equal(uses('program a\nsetenv FD %3'), true);
  t.equal(uses('program a\nargument %%3'), false, 'nor is an escaped one');
  t.equal(uses('program a\nargument %4'), false);
  t.end();
});
