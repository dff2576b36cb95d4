import t from 'tap';
import { dovecotUniqueIds } from '../../../../src/maildrop/unique-ids/dovecot-unique-ids.js';

function parse(text: string): (readonly [string, string])[] {
  return [...dovecotUniqueIds.parse(text)].filter((entry) => entry !== null);
}

const validity = '6b0180e3';
const header = `3 V${Number.parseInt(validity, 16)} N9 G000\n`;

t.test('a uid and the uidvalidity become sixteen digits', (t) => {
  const rows: [why: string, text: string, expected: [string, string][]][] = [
    ['plain', `${header}1 :a\n`, [['a', `00000001${validity}`]]],
    ['flags cut off', `${header}1 :a:2,S\n`, [['a', `00000001${validity}`]]],
    ['fields', `${header}255 W130 S123 :a\n`, [['a', `000000ff${validity}`]]],
    ['a name with spaces', `${header}1 W1 :a b :c\n`, [['a b :c', `00000001${validity}`]]],
    ['8-bit names', `${header}1 :\xff\xfe\n`, [['\xff\xfe', `00000001${validity}`]]],
    ['largest uid', `${header}4294967295 :a\n`, [['a', `ffffffff${validity}`]]],
    ['format 1', `1 16 9\n7 a:2,\n`, [['a', '0000000700000010']]],
    ['an imported id', `${header}1 W1 PUID7-99 :a\n`, [['a', 'UID7-99']]],
    ['an imported id that is the base name', `${header}1 P W1 :a\n`, [['a', 'a']]],
    ['other fields before the uidvalidity', '3 N9 V16 G0\n1 :a\n', [['a', '0000000100000010']]],
    ['no entries', header, []],
  ];
  for (const [why, text, expected] of rows) t.strictSame(parse(text), expected, why);
  t.end();
});

t.test('a line that is none is left out, and so is a last one without its end', (t) => {
  const bad = ['', 'x', '1', '1 ', '1 a', ':a', '0 :a', '-1 :a', '4294967296 :a', '1 :', 'x1 :a'];
  for (const line of bad) {
    t.strictSame(parse(`${header}${line}\n2 :b\n`), [['b', `00000002${validity}`]], line);
  }
  t.strictSame(parse(`${header}1 :a\n2 :half of a na`), [['a', `00000001${validity}`]]);
  t.end();
});

t.test('a header that is not understood is an error that shows it', (t) => {
  for (const text of [
    '2 V1\n',
    '3 N1\n',
    '3 V\n',
    '1 x 2\n',
    '3 V12345678901\n',
    'hello\n',
    '3 V1',
    '',
    '\n',
  ]) {
    t.throws(() => parse(text), /^dovecot-uidlist: a header that is not understood: /, text);
  }
  t.end();
});

t.test('Dovecot may give sixteen hexadecimal digits and nothing else', (t) => {
  for (const id of [`00000001${validity}`, 'ABCDEFABCDEFABCD']) t.ok(dovecotUniqueIds.mayGive(id));
  for (const id of ['1700000000.M1P1.host', '0000000', '0'.repeat(17)]) {
    t.notOk(dovecotUniqueIds.mayGive(id));
  }
  t.end();
});
