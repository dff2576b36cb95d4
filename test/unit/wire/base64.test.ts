import t from 'tap';
import { tryBase64 } from '../../../src/wire/base64.js';

t.test('base64 is decoded, and its padding wanted', (t) => {
  const valid = { '': '', 'YQ==': 'a', 'YWI=': 'ab', YWJj: 'abc', 'YWJjZA==': 'abcd' };
  for (const [text, octets] of Object.entries(valid)) t.equal(tryBase64(text)?.toString(), octets);
  for (const text of [
    'YQ',
    'YQ=',
    'YWI',
    '=',
    '====',
    'YQ==YQ==',
    'YWJj ',
    'YW-_',
    'YWJj\n',
    'YW\nJj',
  ])
    t.equal(tryBase64(text), null, JSON.stringify(text));
  t.end();
});
