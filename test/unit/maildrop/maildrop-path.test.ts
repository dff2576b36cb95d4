// Where maildrops are: names that could leave the mail root do not.

import fc from 'fast-check';
import t from 'tap';
import { encodeDirectoryName, maildropPathOf } from '../../../src/maildrop/maildrop-path.js';

t.test('an ordinary user has INBOX below domain and name', (t) => {
  t.equal(maildropPathOf({ user: 'ann', domain: 'example.org' }), 'example.org/ann/INBOX');
  t.end();
});

t.test('slashes, percent signs, control characters and a leading dot are encoded', (t) => {
  for (const [name, encoded] of [
    ['Ann', 'ann'],
    ['..', '%2E.'],
    ['.', '%2E'],
    ['.hidden', '%2Ehidden'],
    ['a.b', 'a.b'],
    ['a..b', 'a..b'],
    ['../etc', '%2E.%2Fetc'],
    ['/etc/passwd', '%2Fetc%2Fpasswd'],
    ['a%2fb', 'a%252fb'],
    ['a\0b', 'a%00b'],
    ['a\nb\x7f', 'a%0Ab%7F'],
    ['a b', 'a b'],
    ['a\\b', 'a\\b'],
    ['a+tag', 'a+tag'],
    ['~root', '~root'],
    ['-rf', '-rf'],
    ['GR\u00dcSSE', 'gr\xc3\x9csse'],
    ['\u212aelvin', '\xe2\x84\xaaelvin'],
  ] as const) {
    t.equal(encodeDirectoryName(name), encoded, JSON.stringify(name));
  }
  t.end();
});

t.test('names that no directory can have are none', (t) => {
  for (const name of ['', 'x'.repeat(256), '/'.repeat(86), '\u00fc'.repeat(128), '\ud800']) {
    t.equal(encodeDirectoryName(name), null);
    t.equal(maildropPathOf({ user: name, domain: 'example.org' }), null);
    t.equal(maildropPathOf({ user: 'ann', domain: name }), null);
  }
  t.equal(encodeDirectoryName('x'.repeat(255)), 'x'.repeat(255));
  t.equal(encodeDirectoryName('/'.repeat(85))?.length, 255);
  t.end();
});

t.test('no name is a path of its own, and no two names share a directory', (t) => {
  const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(name, name, (one, other) => {
      const [a, b] = [encodeDirectoryName(one), encodeDirectoryName(other)];
      const isSafe = a === null || (!/[/\0]/.test(a) && !a.startsWith('.'));
      const lower = (text: string): string => text.replace(/[A-Z]/g, (c) => c.toLowerCase());
      return isSafe && (a === null || a !== b || lower(one) === lower(other));
    }),
    { seed: 1939, numRuns: 2000 },
  );
  t.end();
});
