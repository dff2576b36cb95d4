import t from 'tap';
import { tryAddress } from '../../../../src/launcher/rules/address.js';
import {
  ucspiVariables,
  withoutConnectionVariables,
} from '../../../../src/launcher/handing-over/connection-facts.js';

t.test('an IPv4 connection on an IPv6 socket is described as IPv4', (t) => {
  const remote = tryAddress('::ffff:192.0.2.7');
  const local = tryAddress('::ffff:127.0.0.1');
  if (remote === null || local === null) throw new Error('no address');
  const variables = ucspiVariables(
    { remote: { address: remote, port: 4711 }, local: { address: local, port: 110 } },
    { level: 3, failures: { count: 2, owedMs: 0 } },
  );
  t.same(variables, {
    PROTO: 'TCP',
    TCPLOCALIP: '127.0.0.1',
    TCPLOCALPORT: '110',
    TCPREMOTEIP: '192.0.2.7',
    TCPREMOTEPORT: '4711',
    ACCESSLEVEL: '3',
    FAILED_LOGINS: '2',
    LOGIN_DELAY_MS: '0',
  });
  t.end();
});

t.test("an outer launcher's connection is not passed on", (t) => {
  const kept = withoutConnectionVariables(
    new Map([
      ['TCPREMOTEHOST', 'forged.example'],
      ['TCPREMOTEINFO', 'x'],
      ['TCPLOCALHOST', 'x'],
      ['TCP6REMOTEIP', '::1'],
      ['REMOTE_ADDR', '192.0.2.1'],
      ['REMOTE_HOST', 'x'],
      ['ACCESSLEVEL', '2'],
      ['FAILED_LOGINS', '2'],
      ['PROTO', 'SSL'],
      ['TCPDUMP', 'kept'],
      ['PATH', '/bin'],
    ]),
  );
  t.same([...kept.keys()], ['TCPDUMP', 'PATH']);
  t.end();
});
