import { closeSync, openSync } from 'node:fs';
import t from 'tap';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import {
  isListedAsListening,
  tryPassedSocket,
} from '../../../../src/launcher/listening/socket-activation.js';

t.test('a socket passed to this process is descriptor 3', (t) => {
  t.equal(tryPassedSocket({ LISTEN_PID: '42', LISTEN_FDS: '1' }, 42), 3);
  t.end();
});

t.test('one passed to another process, or none, is no socket', (t) => {
  t.equal(tryPassedSocket({ LISTEN_PID: '41', LISTEN_FDS: '1' }, 42), null);
  t.equal(tryPassedSocket({ LISTEN_FDS: '1' }, 42), null);
  t.equal(tryPassedSocket({ LISTEN_PID: '42' }, 42), null);
  t.equal(tryPassedSocket({ LISTEN_PID: '42', LISTEN_FDS: '0' }, 42), null);
  t.equal(tryPassedSocket({ LISTEN_PID: '42', LISTEN_FDS: '' }, 42), null);
  t.equal(tryPassedSocket({ LISTEN_PID: '41', LISTEN_FDS: 'x' }, 42), null, 'no business of ours');
  t.end();
});

t.test('a number of sockets that is none is refused by name', (t) => {
  for (const text of ['abc', '-1', '1x', ' 1', '1.5']) {
    t.throws(() => tryPassedSocket({ LISTEN_PID: '42', LISTEN_FDS: text }, 42), {
      name: 'ConfigurationError',
      message: `environment variable LISTEN_FDS must be the number of passed sockets, not "${text}"`,
    });
  }
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
