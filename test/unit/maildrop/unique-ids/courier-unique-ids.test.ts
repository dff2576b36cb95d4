import t from 'tap';
import { courierUniqueIds } from '../../../../src/maildrop/unique-ids/courier-unique-ids.js';

function parse(text: string): (readonly [string, string])[] {
  return [...courierUniqueIds.parse(text)].filter((entry) => entry !== null);
}

t.test('uid and uidvalidity become an id as Courier prints it', (t) => {
  const rows: [why: string, line: string, expected: [string, string]][] = [
    ['plain', 'a:2,S 23 1:1795260225:0', ['a', 'UID1-1795260225']],
    ['UTF-8 noted', 'a 23 1:5:1', ['a', 'UID1-5']],
    ['format 2', 'a 23 1:5', ['a', 'UID1-5']],
    ['a name with spaces', 'a b c:2, 23 7:5:0', ['a b c', 'UID7-5']],
    ['zeros in front', 'a 23 007:05:0', ['a', 'UID7-5']],
    ['no uidvalidity', 'a 23 7:0:0', ['a', 'UID7']],
    ['no uid', '17.M1P1.host:2,S 23 0:5:0', ['17.M1P1.host', '17.M1P1.host']],
    ['no uid and an odd name', `a+'" \xff 23 0:0:0`, [`a+'" \xff`, 'a+2B+27+22+20+FF']],
  ];
  for (const [why, line, expected] of rows) {
    for (const header of ['/3 4 5', '/2 4 5', '/3 4']) {
      t.strictSame(parse(`${header}\n${line}\n`), [expected], why);
    }
  }
  t.end();
});

t.test('a line that is none is left out, and so is a last one without its end', (t) => {
  for (const line of ['', 'a', 'a 23', 'a 23 1', 'a x 1:2:0', 'a 23 1:x:0', ' 1:2:0']) {
    t.strictSame(parse(`/3 4 5\n${line}\nb 23 2:5:0\n`), [['b', 'UID2-5']], line);
  }
  t.strictSame(parse('/3 4 5\na 23 1:5:0\nb 23 2:5'), [['a', 'UID1-5']]);
  t.end();
});

t.test('a header that is not understood, or not there, is an error', (t) => {
  for (const text of ['/1 4 5\n', '/4 4 5\n', '3 4 5\n', '/3 x\n', 'a 1\n', '/3 4 5', '', '\n']) {
    t.throws(() => parse(text), /^courierpop3dsizelist: a header that is not understood/, text);
  }
  t.end();
});

t.test('Courier may give UID, a number, and another', (t) => {
  for (const id of ['UID1-5', 'UID1']) t.ok(courierUniqueIds.mayGive(id));
  for (const id of ['UID', 'UID1-', 'uid1-5', '1700000000.M1P1.host']) {
    t.notOk(courierUniqueIds.mayGive(id));
  }
  t.end();
});
