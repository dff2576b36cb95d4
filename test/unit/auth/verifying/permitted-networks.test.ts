import t from 'tap';
import { isPermitted, parseNetworks } from '../../../../src/auth/verifying/permitted-networks.js';

t.test('a client is permitted when one of the networks holds its address', (t) => {
  const networks = '192.0.2.0/24  198.51.100.7 2001:db8::/32';
  const rows: readonly (readonly [address: string | null, isIn: boolean])[] = [
    ['192.0.2.255', true],
    ['192.0.3.0', false],
    ['198.51.100.7', true],
    ['198.51.100.8', false],
    ['2001:db8:1::1', true],
    ['2001:db9::1', false],
    [null, false],
    ['', false],
    ['mail.example.org', false],
  ];
  for (const [address, isIn] of rows)
    t.equal(isPermitted(networks, address), isIn, String(address));
  t.equal(isPermitted(null, null), true, 'no networks: all are permitted');
  t.equal(isPermitted('0.0.0.0/0', '203.0.113.1'), true);
  t.equal(isPermitted(' ', '203.0.113.1'), false, 'a list of none permits none');
  t.end();
});

t.test('what is no network is a fault that quotes it', (t) => {
  for (const word of [
    '192.0.2.0/33',
    '192.0.2',
    'example.org',
    '::/129',
    'fe80::1%lo',
    '1.2.3.4/08',
    '/8',
  ]) {
    t.throws(() => parseNetworks(`192.0.2.1 ${word}`), {
      message: `"${word}" is no network: ADDRESS or ADDRESS/PREFIX`,
    });
  }
  t.end();
});
