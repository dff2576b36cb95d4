import t from 'tap';
import { nameOfHost, parseServerAddress } from '../../../../src/auth/sql-servers/server-address.js';

t.test('hosts, ports, sockets and names are where libpq has them', (t) => {
  for (const [uri, hosts] of [
    ['postgresql://u@a:1,b,[::1]:3/db', ['a:1', 'b:5432', '[::1]:3']],
    ['postgresql://u@%2Frun%2Fx/db', ['/run/x:5432']],
    ['postgres:///db?host=/a,/b&port=1,2&user=u', ['/a:1', '/b:2']],
    ['postgresql:///db?host=a,b&port=7&user=u', ['a:7', 'b:7']],
    ['postgresql:///db?user=u', ['/run/postgresql:5432']],
    ['mysql://u@a,b:1/db', ['a:3306', 'b:1']],
    ['mysql://u@/db?socket=/s', ['/s']],
    ['mariadb://u@/db', ['/run/mysqld/mysqld.sock']],
  ] as const) {
    const address = parseServerAddress(uri);
    t.same(
      address.hosts.map((host) => nameOfHost(address.scheme, host)),
      hosts,
      uri,
    );
    t.match(address, { user: 'u', database: 'db', password: undefined });
  }
  t.end();
});

t.test('user and password are decoded, and may stand among the parameters', (t) => {
  const both = { user: 'a@b', password: 's:3 %' };
  t.match(parseServerAddress('postgresql://a%40b:s:3%20%25@h/db'), both);
  t.match(parseServerAddress('postgresql://h/db?user=a%40b&password=s:3%20%25'), both);
  t.match(parseServerAddress('postgresql://u:@h/'), { password: '', database: 'u' });
  t.end();
});

t.test('what is wrong is named, and the password never', (t) => {
  for (const [uri, message] of [
    ['postgresql:/u:secret@h/db', /it is written/],
    ['postgresql://u:secret@h:0/db', /"0" is no port/],
    ['postgresql://u:secret@h:99999/db', /is no port/],
    ['postgresql://u:secret@h/db?sslmod=x', /parameter sslmod is not known/],
    ['postgresql://u:secret%@h/db', /% in it/],
    ['mysql://u:secret@h', /names no database/],
  ] as const) {
    t.throws(() => parseServerAddress(uri), { message }, uri);
    try {
      parseServerAddress(uri);
    } catch (error) {
      t.notMatch((error as Error).message, /secret/);
    }
  }
  t.end();
});
