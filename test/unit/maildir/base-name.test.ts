// Names of Maildir messages, taken apart. Names are bytes in latin1 strings.

import t from 'tap';
import {
  baseNameOf,
  deliveryTimeOf,
  flagsOf,
  wireOctetsIn,
  withFlag,
  withoutSizes,
} from '../../../src/maildir/base-name.js';

t.test('the base name ends at the first colon; flags follow ":2,"', (t) => {
  for (const [name, baseName, flags] of [
    ['1.M1P1.host', '1.M1P1.host', ''],
    ['1.M1P1.host:2,', '1.M1P1.host', ''],
    ['1.M1P1.host:2,FS', '1.M1P1.host', 'FS'],
    ['1.M1P1.host:1,x', '1.M1P1.host', ''],
    ['1.M1P1.host:2,S,extra', '1.M1P1.host', 'S,extra'],
    ['a:b:2,S', 'a', 'S'],
    [':2,S', '', 'S'],
    [':', '', ''],
    ['a\nb:2,S', 'a\nb', 'S'],
    ['\xff\xfe:2,T', '\xff\xfe', 'T'],
  ] as const) {
    t.equal(baseNameOf(name), baseName, JSON.stringify(name));
    t.equal(flagsOf(name), flags, JSON.stringify(name));
  }
  t.end();
});

t.test('a flag is added in ASCII order, once', (t) => {
  for (const [name, flagged] of [
    ['a', 'a:2,S'],
    ['a:2,', 'a:2,S'],
    ['a:2,FT', 'a:2,FST'],
    ['a:2,S', 'a:2,S'],
    ['a:2,TR', 'a:2,RST'],
  ] as const) {
    t.equal(withFlag(name, 'S'), flagged);
  }
  t.end();
});

t.test('sizes are taken off wherever they stand', (t) => {
  for (const [baseName, bare] of [
    ['1.x,S=12', '1.x'],
    ['1.x,S=12,W=14', '1.x'],
    ['1.x,W=14,S=12', '1.x'],
    ['1.x,S=12,U=3', '1.x,U=3'],
    ['1.x,S=', '1.x,S='],
    ['1.x,S=-1', '1.x,S=-1'],
    ['a=b', 'a=b'],
    ['plain', 'plain'],
  ] as const) {
    t.equal(withoutSizes(baseName), bare);
  }
  t.end();
});

t.test('octets are believed only as a plain number after ",W="', (t) => {
  for (const [baseName, octets] of [
    ['1.x,S=12,W=14', 14],
    ['1.x,W=14,S=12', 14],
    ['1.x,W=0', 0],
    ['1.x,W=014', 14],
    ['1.x,W=999999999999999', 999_999_999_999_999],
    ['1.x,W=9999999999999999', null],
    ['1.x,W=', null],
    ['1.x,W=-1', null],
    ['1.x,W=1e3', null],
    ['1.x,W=12x', null],
    ['1.x,S=12', null],
    ['1.xW=12', null],
  ] as const) {
    t.equal(wireOctetsIn(baseName), octets, baseName);
  }
  t.end();
});

t.test('the time of delivery is in seconds and microseconds', (t) => {
  for (const [baseName, seconds, microseconds] of [
    ['1700000000.M20046P2137.mailserver', 1_700_000_000, 20_046],
    ['1700000000.P2137M5.host', 1_700_000_000, 5],
    ['1700000000.2137_1.host', 1_700_000_000, 0],
    ['1700000000.R1I2V3M4P5.host,S=6', 1_700_000_000, 4],
    ['1700000000', 1_700_000_000, 0],
    ['note', Number.POSITIVE_INFINITY, 0],
    ['', Number.POSITIVE_INFINITY, 0],
    ['-5.M1P1.x', Number.POSITIVE_INFINITY, 0],
  ] as const) {
    t.strictSame(deliveryTimeOf(baseName), { seconds, microseconds }, baseName);
  }
  t.end();
});
