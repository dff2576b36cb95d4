import t from 'tap';
import { formatNetwork, parseNetwork } from '../../../../src/launcher/rules/network.js';

const canonical: readonly (readonly [text: string, canonical: string])[] = [
  ['127.0.0.1', '127.0.0.1/32'],
  ['127.0.0.1/8', '127.0.0.0/8'],
  ['192.0.2.255/25', '192.0.2.128/25'],
  ['192.0.2.255/31', '192.0.2.254/31'],
  ['1.2.3.4/0', '0.0.0.0/0'],
  ['2001:db8::1', '2001:db8::1/128'],
  ['2001:db8:ffff:ffff::/33', '2001:db8:8000::/33'],
  ['::1/0', '::/0'],
  ['::ffff:10.1.2.3', '10.1.2.3/32'],
  ['::ffff:10.1.2.3/104', '10.0.0.0/8'],
  ['::ffff:0:0/96', '0.0.0.0/0'],
];

for (const [text, expected] of canonical) {
  t.test(`${text} is ${expected}`, (t) => {
    t.equal(formatNetwork(parseNetwork(text)), expected);
    t.end();
  });
}

const wrong: readonly (readonly [text: string, message: string])[] = [
  ['', '"" is no IPv4 or IPv6 address'],
  ['/8', '"" is no IPv4 or IPv6 address'],
  ['10.0.0.0/', '"/" is no prefix length from 0 to 32'],
  ['10.0.0.0/33', '"/33" is no prefix length from 0 to 32'],
  ['10.0.0.0/-1', '"/-1" is no prefix length from 0 to 32'],
  ['10.0.0.0/+8', '"/+8" is no prefix length from 0 to 32'],
  ['10.0.0.0/08', '"/08" is no prefix length from 0 to 32'],
  ['10.0.0.0/8.0', '"/8.0" is no prefix length from 0 to 32'],
  ['10.0.0.0/8/8', '"/8/8" is no prefix length from 0 to 32'],
  ['10.0.0.0/255.0.0.0', '"/255.0.0.0" is no prefix length from 0 to 32'],
  ['10.0/16', '"10.0" is no IPv4 or IPv6 address'],
  ['010.0.0.0/8', '"010.0.0.0" is no IPv4 or IPv6 address'],
  ['::/129', '"/129" is no prefix length from 0 to 128'],
  ['::ffff:10.0.0.0/95', 'an IPv4-mapped address needs a prefix from 96 to 128, not 95'],
  ['::ffff:10.0.0.0/0', 'an IPv4-mapped address needs a prefix from 96 to 128, not 0'],
  ['fe80::%eth0/64', '"fe80::%eth0" is no IPv4 or IPv6 address'],
  ['host/8', '"host" is no IPv4 or IPv6 address'],
];

for (const [text, message] of wrong) {
  t.test(`"${text}" is no network: ${message}`, (t) => {
    t.throws(() => parseNetwork(text), { message });
    t.end();
  });
}
