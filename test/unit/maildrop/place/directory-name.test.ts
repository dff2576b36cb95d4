import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { encodeDirectoryName } from '../../../../src/maildrop/place/directory-name.js';
import { fixedDraws } from '../../../support/mail/arbitrary-message.js';
import { holds } from '../../../support/suite/property.js';

const names: readonly (readonly [name: string, encoded: string | null])[] = [
  ['ann', 'ann'],
  ['Ann', 'ann'],
  ['ÄNN', 'Änn'],
  ['a.b', 'a.b'],
  ['.', '%2E'],
  ['..', '%2E.'],
  ['.hidden', '%2Ehidden'],
  ['../../etc', '%2E.%2F..%2Fetc'],
  ['/', '%2F'],
  ['100%', '100%25'],
  ['%2E', '%252e'],
  ['a\0b', 'a%00b'],
  ['a\nb\x7f', 'a%0Ab%7F'],
  ['a b', 'a b'],
  ['a+tag', 'a+tag'],
  ['', null],
  ['\ud800', null],
  ['x'.repeat(255), 'x'.repeat(255)],
  ['x'.repeat(256), null],
  ['%'.repeat(85), '%25'.repeat(85)],
  ['%'.repeat(86), null],
  ['é'.repeat(128), null],
];

for (const [name, encoded] of names) {
  const shown = JSON.stringify(name.slice(0, 20));
  t.test(
    `the name ${shown} of ${name.length} is ${encoded === null ? 'refused' : 'a directory'}`,
    (t) => {
      const expected = encoded === null ? null : Buffer.from(encoded).toString('latin1');
      t.equal(encodeDirectoryName(name), expected);
      t.end();
    },
  );
}

t.test('no name leaves its directory, and two that differ in more than case share none', (t) => {
  const name = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.string({ unit: fc.constantFrom('.', '/', '%', '2', 'E', 'F', 'a', '\0'), maxLength: 6 }),
  );
  const lowered = (text: string): string => text.replace(/[A-Z]/g, (c) => c.toLowerCase());
  holds(
    t,
    fc.property(name, name, (one, other) => {
      const encoded = encodeDirectoryName(one);
      if (encoded === null) return;
      assert.doesNotMatch(encoded, /^\.|[/\x00-\x1f\x7f]|^$/);
      assert.equal(encodeDirectoryName(other) === encoded, lowered(one) === lowered(other));
    }),
    fixedDraws,
  );
  t.end();
});
