import { closeSync, openSync } from 'node:fs';
import t from 'tap';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import {
  assignSockets,
  isListedAsListening,
  passedSockets,
  type PassedSocket,
} from '../../../../src/launcher/listening/socket-activation.js';

const fdsOf = (environment: NodeJS.ProcessEnv): readonly number[] =>
  passedSockets(environment, 42).map(({ fd }) => fd);

t.test('sockets passed to this process are descriptors from 3 on', (t) => {
  t.same(fdsOf({ LISTEN_PID: '42', LISTEN_FDS: '1' }), [3]);
  t.same(fdsOf({ LISTEN_PID: '42', LISTEN_FDS: '3' }), [3, 4, 5]);
  t.same(passedSockets({ LISTEN_PID: '42', LISTEN_FDS: '2', LISTEN_FDNAMES: 'a' }, 42), [
    { fd: 3, name: 'a' },
    { fd: 4, name: '' },
  ]);
  t.end();
});

t.test('one passed to another process, or none, is no socket', (t) => {
  t.same(fdsOf({ LISTEN_PID: '41', LISTEN_FDS: '1' }), []);
  t.same(fdsOf({ LISTEN_FDS: '1' }), []);
  t.same(fdsOf({ LISTEN_PID: '42' }), []);
  t.same(fdsOf({ LISTEN_PID: '42', LISTEN_FDS: '0' }), []);
  t.same(fdsOf({ LISTEN_PID: '42', LISTEN_FDS: '' }), []);
  t.same(fdsOf({ LISTEN_PID: '41', LISTEN_FDS: 'x' }), [], 'no business of ours');
  t.end();
});

t.test('a number of sockets that is none is refused by name', (t) => {
  for (const text of ['abc', '-1', '1x', ' 1', '1.5']) {
    t.throws(() => fdsOf({ LISTEN_PID: '42', LISTEN_FDS: text }), {
      name: 'ConfigurationError',
      message: `environment variable LISTEN_FDS must be the number of passed sockets, not "${text}"`,
    });
  }
  t.end();
});

t.test('sockets go by name where every port is one, else in order', (t) => {
  const named = (...names: readonly string[]): readonly PassedSocket[] =>
    names.map((name, index) => ({ fd: 3 + index, name }));
  t.same(assignSockets(named('pop3s', 'pop3'), ['pop3', 'pop3s']), [4, 3]);
  t.same(assignSockets(named('x', '995', '110'), ['110', '995']), [5, 4]);
  t.same(assignSockets(named('pop3s', 'x'), ['pop3', 'pop3s']), [3, 4], 'one name is missing');
  t.same(assignSockets(named('pop3', 'pop3'), ['pop3', 'pop3']), [3, 4], 'one name twice');
  t.same(assignSockets(named('', ''), ['110', '995']), [3, 4]);
  t.same(assignSockets(named('a', 'b'), ['110']), [3], 'more than there are listeners');
  t.same(assignSockets([], ['110', '995']), [], 'none: they are bound');
  t.throws(() => assignSockets(named('pop3'), ['pop3', 'pop3s']), {
    name: 'ConfigurationError',
    message: '1 sockets were passed (LISTEN_FDS) for 2 listeners',
  });
  t.end();
});

/** The descriptor under a server or a socket, which only Node's insides know. */
function descriptorOf(handleOwner: object): number {
  return (handleOwner as { _handle: { fd: number } })._handle.fd;
}

for (const host of ['127.0.0.1', '::']) {
  t.test(`a socket listening on ${host} is listed, its connections are not`, async (t) => {
    const server = createServer();
    server.listen(0, host);
    await once(server, 'listening');
    t.equal(isListedAsListening(descriptorOf(server)), true);
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [accepted] = (await once(server, 'connection')) as [Socket];
    t.equal(isListedAsListening(descriptorOf(accepted)), false);
    client.destroy();
    accepted.destroy();
    server.close();
  });
}

t.test('what is no socket, or not open, is not listed', (t) => {
  const [folder, closed] = [openSync('.', 'r'), 1_000_000];
  t.equal(isListedAsListening(folder), false);
  t.equal(isListedAsListening(closed), false);
  closeSync(folder);
  t.end();
});
