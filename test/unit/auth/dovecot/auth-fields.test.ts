import t from 'tap';
import { formatAuthLine, parseAuthLine } from '../../../../src/auth/dovecot/auth-fields.js';

t.test('words and fields come apart at tabs', (t) => {
  const { word, words, fields } = parseAuthLine('OK\t7\tuser=a=b\tnologin\thome=/x\u0001ty');
  t.equal(word, 'OK');
  t.equal(words[0], '7');
  t.same(
    [...fields],
    [
      ['user', 'a=b'],
      ['nologin', true],
      ['home', '/x\ty'],
    ],
  );
  t.end();
});

t.test('no text can pass for another word or line', (t) => {
  const text = 'a\tb\nc\r\u0001d\0';
  const line = formatAuthLine(['USER', '1', text]);
  t.equal(line.split('\t').length, 3);
  t.equal(line.indexOf('\n'), line.length - 1);
  t.equal(parseAuthLine(line.slice(0, -1)).words[1], text);
  t.end();
});
