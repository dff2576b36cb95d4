import t from 'tap';
import { loginClient } from '../../../../src/auth/accounts/login-client.js';

t.test('an IPv4 address is a network, and so is the /64 of an IPv6 address', (t) => {
  for (const [address, network] of [
    ['192.0.2.7', '192.0.2.7'],
    [undefined, ''],
    ['::1', '0:0:0:0::'],
    ['2001:db8::1', '2001:db8:0:0::'],
    ['2001:0DB8:0:0:1:2:3:4', '2001:db8:0:0::'],
    ['2001:db8:1:2:3::', '2001:db8:1:2::'],
  ] as const) {
    t.equal(loginClient(address).network, network, address ?? 'unknown');
  }
  t.end();
});
