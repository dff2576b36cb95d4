// A connection that ends between winning the race and being used.

import { createServer, type AddressInfo } from 'node:net';
import t from 'tap';
import { connectToAny } from '../../../../src/pop3-client/find/connect.js';
import type { Target } from '../../../../src/pop3-client/find/locate.js';
import type { NameServer } from '../../../../src/pop3-client/find/name-server.js';
import { ByteSource } from '../../../../src/pop3-client/talk/byte-source.js';

for (const how of ['reset', 'closed'] as const) {
  t.test(`a connection that is ${how} while DNS is asked for the next target`, async (t) => {
    let answerDns: () => void = () => undefined;
    const server = createServer((socket) => {
      // When the client's end has noticed that it is connected, and then that it is no more.
      setTimeout(() => (how === 'reset' ? socket.resetAndDestroy() : socket.end()), 200);
      setTimeout(() => answerDns(), 600);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => server.close());
    const { port } = server.address() as AddressInfo;
    const target = (host: string): Target => ({ host, port, tls: 'off', names: [host] });
    const nameServer: NameServer = {
      findService: () => Promise.resolve({ kind: 'nothing' }),
      findAddresses: (name) =>
        name === 'first.test'
          ? Promise.resolve(['127.0.0.1'])
          : new Promise((resolve) => (answerDns = () => resolve([]))),
    };
    const { socket } = await connectToAny([target('first.test'), target('second.test')], {
      ...{ nameServer, proxy: null, localAddress: null, localPort: null },
      ...{ timeoutMs: 20_000, signal: new AbortController().signal, excluded: [] },
    });
    await t.rejects(new ByteSource(socket).take(performance.now() + 20_000), {
      message: 'the server closed the connection',
    });
  });
}
