import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  baseNameOf,
  deliveryTimeOf,
  flagsOf,
  wireOctetsIn,
  withFlag,
  withoutSizes,
} from '../../../src/maildir/base-name.js';
import { fixedDraws } from '../../support/mail/arbitrary-message.js';
import { holds } from '../../support/suite/property.js';

t.test('the base name is what stands before the info', (t) => {
  t.equal(baseNameOf('1700.M1P2.host:2,S'), '1700.M1P2.host');
  t.equal(baseNameOf('1700.M1P2.host'), '1700.M1P2.host');
  t.equal(baseNameOf('1700.M1P2.host:1,experimental:2,S'), '1700.M1P2.host');
  t.equal(baseNameOf('1700.M1P2.host;2,S'), '1700.M1P2.host');
  t.equal(baseNameOf('1700.M1P2.host!2,S'), '1700.M1P2.host');
  t.equal(baseNameOf('1700.M1P2.host,S=12,W=2:2,S'), '1700.M1P2.host,S=12,W=2');
  t.equal(baseNameOf(':2,S'), '');
  t.equal(baseNameOf(''), '');
  t.end();
});

t.test('a colon that begins no info is a part of the base name', (t) => {
  for (const name of [
    '2024-01-15T10:30:01.eml',
    'host:1700000001.P1',
    'a:',
    'a:2',
    'a:3,S',
    'a:b:c',
  ]) {
    t.equal(baseNameOf(name), name);
    t.equal(baseNameOf(`${name}:2,FS`), name);
  }
  t.end();
});

t.test('the flags are what follows ":2,"', (t) => {
  t.equal(flagsOf('a:2,FS'), 'FS');
  t.equal(flagsOf('a:2,'), '');
  t.equal(flagsOf('a;2,FS'), 'FS');
  t.equal(flagsOf('10:30.eml'), '');
  t.equal(flagsOf('a:1,FS'), '');
  t.equal(flagsOf('a'), '');
  t.end();
});

const flagged: readonly (readonly [name: string, flag: string, withIt: string])[] = [
  ['a', 'S', 'a:2,S'],
  ['a:2,', 'S', 'a:2,S'],
  ['a:2,F', 'S', 'a:2,FS'],
  ['a:2,T', 'S', 'a:2,ST'],
  ['a:2,FRT', 'S', 'a:2,FRST'],
  ['a:2,S', 'S', 'a:2,S'],
  ['a:2,Sab', 'F', 'a:2,FSab'],
  ['a,S=5,W=6:2,', 'S', 'a,S=5,W=6:2,S'],
  ['a;2,F', 'S', 'a;2,FS'],
  ['a!2,', 'S', 'a!2,S'],
  ['10:30.eml', 'S', '10:30.eml:2,S'],
];

for (const [name, flag, withIt] of flagged) {
  t.test(`${name} with ${flag} is ${withIt}`, (t) => {
    t.equal(withFlag(name, flag), withIt);
    t.end();
  });
}

t.test('a flag changes neither the base name nor the other flags, and comes once', (t) => {
  const name = fc.string({
    unit: fc.constantFrom('a', '1', '.', ',', '=', ':', '2', 'S', 'F', '\xff'),
  });
  holds(
    t,
    fc.property(name, fc.constantFrom('S', 'F', 'T'), (name, flag) => {
      const once = withFlag(name, flag);
      assert.equal(baseNameOf(once), baseNameOf(name));
      for (const each of flagsOf(name) + flag) assert.ok(flagsOf(once).includes(each));
      assert.equal(withFlag(once, flag), once);
    }),
    { ...fixedDraws, numRuns: 300 },
  );
  t.end();
});

t.test('sizes are taken out of a base name and nothing else is', (t) => {
  t.equal(withoutSizes('1700.M1.host,S=120,W=125'), '1700.M1.host');
  t.equal(withoutSizes('1700.M1.host,W=125'), '1700.M1.host');
  t.equal(withoutSizes('1700.M1.host,S=120,X=1'), '1700.M1.host,X=1');
  t.equal(withoutSizes('1700.M1.host,S=x'), '1700.M1.host,S=x');
  t.equal(withoutSizes('1700.M1.host'), '1700.M1.host');
  t.end();
});

const octets: readonly (readonly [baseName: string, octets: number | null])[] = [
  ['a,S=120,W=125', 125],
  ['a,W=125,S=120', 125],
  ['a,W=0', null],
  ['a,W=2', 2],
  ['a,W=999999999999999', 999_999_999_999_999],
  ['a,S=120', null],
  ['a,W=', null],
  ['a,W=12x', null],
  ['a,W=-1', null],
  ['a,W=1e3', null],
  ['a,W=1000000000000000', null],
  ['aW=125', null],
  ['a', null],
];

for (const [baseName, expected] of octets) {
  t.test(`${baseName} promises ${expected ?? 'no'} octets`, (t) => {
    t.equal(wireOctetsIn(baseName), expected);
    t.end();
  });
}

const times: readonly (readonly [baseName: string, seconds: number, microseconds: number])[] = [
  ['1700000000.M123456P789.host', 1_700_000_000, 123_456],
  ['1700000000.R5M12Q3.host,S=5', 1_700_000_000, 12],
  ['1700000000.789.host', 1_700_000_000, 0],
  ['1700000000', 1_700_000_000, 0],
  ['1700000000.P1,M99', 1_700_000_000, 0],
  ['message', Number.POSITIVE_INFINITY, 0],
  ['', Number.POSITIVE_INFINITY, 0],
];

for (const [baseName, seconds, microseconds] of times) {
  t.test(
    `${JSON.stringify(baseName)} was delivered at ${seconds} s and ${microseconds} µs`,
    (t) => {
      t.same(deliveryTimeOf(baseName), { seconds, microseconds });
      t.end();
    },
  );
}
