import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  formatScanListing,
  formatUniqueIdListing,
  isUniqueId,
  parseScanListing,
  parseUniqueIdListing,
} from '../../../src/wire/listing.js';
import { messageNumberAt } from '../../../src/wire/message-number.js';
import { fixedDraws } from '../../support/mail/arbitrary-message.js';
import { holds } from '../../support/suite/property.js';

const seventy = 'x'.repeat(70);

t.test('a scan listing is number, space, octets', (t) => {
  t.equal(formatScanListing(messageNumberAt(0), 120), '1 120');
  t.end();
});

t.test('a unique-id listing is number, space, unique-id', (t) => {
  t.equal(formatUniqueIdListing(messageNumberAt(1), 'QhdPYR'), '2 QhdPYR');
  t.end();
});

const scanListings: readonly (readonly [line: string, parsed: readonly [number, number] | null])[] =
  [
    ['1 120', [1, 120]],
    ['2147483647 0', [2_147_483_647, 0]],
    ['1 120 more information', [1, 120]],
    ['1   120', [1, 120]],
    ['1 999999999999999', [1, 999_999_999_999_999]],
    ['', null],
    ['1', null],
    ['1 ', null],
    [' 1 120', null],
    ['0 120', null],
    ['-1 120', null],
    ['+1 120', null],
    ['2147483648 1', null],
    ['1 -120', null],
    ['1 1e3', null],
    ['1 0x10', null],
    ['1 120\r', null],
    ['1\t120', null],
    ['1 100000000000000000000', null],
    ['1\0 120', null],
  ];

for (const [line, parsed] of scanListings) {
  t.test(`scan listing ${JSON.stringify(line)} is ${parsed === null ? 'none' : 'one'}`, (t) => {
    const expected = parsed === null ? null : { number: parsed[0], octets: parsed[1] };
    t.same(parseScanListing(Buffer.from(line)), expected);
    t.end();
  });
}

const uniqueIdListings: readonly (readonly [
  line: string,
  parsed: readonly [number, string] | null,
])[] = [
  ['1 whqtswO00WBw418f9t5JxYwZ', [1, 'whqtswO00WBw418f9t5JxYwZ']],
  ['1 !', [1, '!']],
  ['1 ~', [1, '~']],
  ['1 ../../etc/passwd', [1, '../../etc/passwd']],
  ['1  a ', [1, 'a']],
  [`1 ${seventy}`, [1, seventy]],
  [`1 ${seventy}x`, [1, `${seventy}x`]],
  ['', null],
  ['1', null],
  ['1 ', null],
  ['1  ', null],
  [' a', null],
  ['0 a', null],
  ['x a', null],
  ['1 a b', [1, 'a b']],
  ['1 a\tb', [1, 'a\tb']],
  ['1 a\rb', [1, 'a\rb']],
  ['1 a\0', [1, 'a\0']],
  ['1 a\x7f', [1, 'a\x7f']],
  ['1 \xe9', [1, '\xe9']],
];

for (const [line, parsed] of uniqueIdListings) {
  const shown = JSON.stringify(line.slice(0, 40));
  t.test(`unique-id listing ${shown} is ${parsed === null ? 'none' : 'one'}`, (t) => {
    const expected = parsed === null ? null : { number: parsed[0], uniqueId: parsed[1] };
    t.same(parseUniqueIdListing(Buffer.from(line, 'latin1')), expected);
    t.end();
  });
}

t.test('a line full of spaces costs a parser no more time than another', (t) => {
  const spaces = ' '.repeat(200_000);
  const started = performance.now();
  t.match(parseUniqueIdListing(Buffer.from(`1 a${spaces}b`)), { number: 1 });
  t.match(parseUniqueIdListing(Buffer.from(`1${spaces}\t`)), { uniqueId: '\t' });
  t.equal(parseUniqueIdListing(Buffer.from(`1${spaces}`)), null);
  t.equal(parseScanListing(Buffer.from(`1${spaces}x`)), null);
  // A time that grows with the square of the length is over ten seconds here.
  t.ok(performance.now() - started < 2000);
  t.end();
});

t.test('a unique-id has 1 to 70 characters of 0x21 to 0x7E', (t) => {
  for (const text of ['', 'a b', '\x20', '\x7f', 'é', 'a\n', `${seventy}x`]) {
    t.notOk(isUniqueId(text), JSON.stringify(text));
  }
  for (const text of ['!', '~', 'a', seventy]) t.ok(isUniqueId(text), text);
  t.end();
});

t.test('what is formatted is parsed to the same values', (t) => {
  const numbers = fc.integer({ min: 0, max: 2_147_483_646 }).map(messageNumberAt);
  const characters = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
  const uniqueIds = fc
    .array(characters, { minLength: 1, maxLength: 70 })
    .map((parts) => parts.join(''));
  holds(
    t,
    fc.property(numbers, fc.maxSafeNat(), uniqueIds, (number, nat, uniqueId) => {
      const octets = nat % 1_000_000_000_000_000;
      assert.deepEqual(parseScanListing(Buffer.from(formatScanListing(number, octets))), {
        number,
        octets,
      });
      const listing = formatUniqueIdListing(number, uniqueId);
      assert.deepEqual(parseUniqueIdListing(Buffer.from(listing)), { number, uniqueId });
    }),
    fixedDraws,
  );
  t.end();
});
