// The driver before a server that says no more than the test lets it.

import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import t from 'tap';
import { PostgresqlDriver } from '../../../../src/auth/postgresql/postgresql-driver.js';
import { parseServerAddress } from '../../../../src/auth/sql-servers/server-address.js';

/** AuthenticationOk and ReadyForQuery (PostgreSQL 53.7): a login is over. */
const loggedIn = Buffer.from('R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I', 'latin1');

t.test('a server that hangs once it has let us in is given up in time', async (t) => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const address = parseServerAddress(`postgresql://pop3@127.0.0.1:${port}/mail?sslmode=disable`);
  const driver = new PostgresqlDriver(address, { statementMs: 2000, access: 'read' });
  const [host] = address.hosts;
  if (host === undefined) throw new Error('no host');
  // As PgBouncer does it when the server behind it hangs.
  const ended = once(server, 'connection').then(async ([socket]: Socket[]) => {
    socket?.once('data', () => socket.write(loggedIn));
    await once(socket ?? server, 'close');
  });
  await t.rejects(driver.connect(host, 200), {
    message: 'no connection within 0.2 s',
    isOfHost: true,
    isLasting: false,
  });
  await t.resolves(ended, 'no connection is left');
});
