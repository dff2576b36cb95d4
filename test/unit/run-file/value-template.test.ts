import t from 'tap';
import { fillIn, parseValue } from '../../../src/run-file/value-template.js';

const substitutions = {
  environment: new Map([
    ['HOME', '/home/a'],
    ['EMPTY', ''],
    ['NESTED', '%HOME%'],
    ['__proto__', 'own'],
  ]),
  parameters: ['one', '%2'],
};

const filled: readonly (readonly [value: string, result: string])[] = [
  ['plain', 'plain'],
  ['', ''],
  ['%HOME%/x', '/home/a/x'],
  ['%1', 'one'],
  ['%1%HOME%%1', 'one/home/aone'],
  ['%10', 'one0'],
  ['100%%', '100%'],
  ['%%1', '%1'],
  ['%%%1', '%one'],
  ['%EMPTY%', ''],
  ['%NESTED%', '%HOME%'],
  ['%2', '%2'],
  ['%__proto__%', 'own'],
];

for (const [value, result] of filled) {
  t.test(`"${value}" comes to "${result}"`, (t) => {
    t.equal(fillIn(parseValue(value), substitutions), result);
    t.end();
  });
}

const alone = 'a percent sign stands alone (write %% for one)';
const unreadable: readonly (readonly [value: string, message: string])[] = [
  ['%', alone],
  ['a%', alone],
  ['50% off', alone],
  ['%HOME', alone],
  ['%A=B%', alone],
  ['%0', 'there is no parameter %0'],
];

for (const [value, message] of unreadable) {
  t.test(`"${value}" is refused when it is read: ${message}`, (t) => {
    t.throws(() => parseValue(value), { message });
    t.end();
  });
}

const unset: readonly (readonly [value: string, message: string])[] = [
  ['%3', 'parameter %3 is not set'],
  ['%NOBODY%', 'environment variable NOBODY is not set'],
  ['%constructor%', 'environment variable constructor is not set'],
  ['%home%', 'environment variable home is not set'],
];

for (const [value, message] of unset) {
  t.test(`"${value}" is refused when it is filled in: ${message}`, (t) => {
    t.throws(() => fillIn(parseValue(value), substitutions), { message });
    t.end();
  });
}

t.test('a value that grows beyond what the system takes is refused', (t) => {
  const environment = new Map([['HALF', 'x'.repeat(65_535)]]);
  const fill = (text: string) => fillIn(parseValue(text), { environment, parameters: [] });
  t.equal(fill('%HALF%%HALF%x').length, 131_071);
  t.throws(() => fill('%HALF%%HALF%xx'), {
    message: 'the value is longer than 131071 characters',
  });
  t.end();
});
