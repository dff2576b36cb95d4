import t from 'tap';
import { sourceOf, tryAddress, tryPeerAddress } from '../../../../src/launcher/rules/address.js';

const canonical: readonly (readonly [text: string, canonical: string])[] = [
  ['127.0.0.1', '127.0.0.1'],
  ['::1', '::1'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['2001:db8:0:1:0:0:0:1', '2001:db8:0:1::1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:201', '192.0.2.1'],
  ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
  // Only mapped addresses are IPv4; whoever has another form is no IPv4 client.
  ['::192.0.2.1', '::c000:201'],
  ['::127.0.0.1', '::7f00:1'],
  ['0:0:0:0:0:0:127.0.0.1', '::7f00:1'],
  ['::ffff:0:192.0.2.1', '::ffff:0:c000:201'],
  ['1::ffff:192.0.2.1', '1::ffff:c000:201'],
  ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
  ['64:ff9b:1::127.0.0.1', '64:ff9b:1::7f00:1'],
  ['2002:7f00:1::', '2002:7f00:1::'],
  ['fe80::5efe:127.0.0.1', 'fe80::5efe:7f00:1'],
  ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ['1:2:3:0:5:6:7:8', '1:2:3:0:5:6:7:8'],
  ['::', '::'],
];

for (const [text, expected] of canonical) {
  t.test(`${text} is ${expected}`, (t) => {
    t.equal(tryAddress(text)?.text, expected);
    t.equal(tryAddress(text)?.bytes.length, expected.includes(':') ? 16 : 4);
    t.end();
  });
}

for (const text of [
  '',
  'localhost',
  '127.1',
  '010.0.0.1',
  '0x7f.0.0.1',
  '2130706433',
  '1.2.3.256',
  '1.2.3.4 ',
  '1.2.3.4/32',
  '[::1]',
  'fe80::1%eth0',
  '1::2::3',
]) {
  t.test(`"${text}" is no address`, (t) => {
    t.equal(tryAddress(text), null);
    t.end();
  });
}

t.test("a peer's zone is dropped, and no address is none", (t) => {
  t.equal(tryPeerAddress('fe80::1%eth0')?.text, 'fe80::1');
  t.equal(tryPeerAddress(undefined), null);
  t.end();
});

t.test('a source is an IPv4 address or the first 64 bits of an IPv6 one', (t) => {
  const source = (text: string): string | undefined => {
    const address = tryAddress(text);
    return address === null ? undefined : sourceOf(address);
  };
  t.equal(source('192.0.2.1'), '192.0.2.1');
  t.equal(source('::ffff:192.0.2.1'), '192.0.2.1');
  t.equal(source('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::');
  t.equal(source('2001:db8:1:2::'), '2001:db8:1:2::');
  t.not(source('2001:db8:1:3::'), '2001:db8:1:2::');
  t.end();
});
