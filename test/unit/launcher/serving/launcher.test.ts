// Connections whose peer is gone by the time they are accepted. All else about the launcher is in test/programs.

import { Socket } from 'node:net';
import t from 'tap';
import { tryConnectionFacts } from '../../../../src/launcher/handing-over/connection-facts.js';
import type { HandOver } from '../../../../src/launcher/handing-over/hand-over.js';
import { Launcher } from '../../../../src/launcher/serving/launcher.js';
import { PresentSessions } from '../../../../src/launcher/serving/present-sessions.js';
import { recordingLog } from '../../../support/programs/recording-log.js';
import { makeSocketPair } from '../../../support/sessions/socket-pair.js';

t.test('a connection without addresses is closed and logged, and nothing is started', (t) => {
  const { log, lines } = recordingLog();
  const judged: unknown[] = [];
  const served: unknown[] = [];
  const launcher = new Launcher({
    log,
    present: new PresentSessions(),
    judge: (address) => {
      judged.push(address);
      return { level: 1, line: undefined };
    },
    limits: { concurrency: 1, perSource: Infinity, held: () => 1 },
    denied: 'served',
  });
  const handOver: HandOver = {
    isCostly: true,
    serve: (connection) => {
      served.push(connection);
      return Promise.reject(new Error('nobody is there to be served'));
    },
  };
  // What getpeername(2) says ENOTCONN to has no remote address.
  const socket = new Socket();
  launcher.accept(socket, { handOver, port: undefined, header: null });
  t.ok(socket.destroyed);
  t.same([judged, served], [[], []]);
  t.same(lines, [{ event: 'refuse', fields: { why: 'the peer is gone or has no IP address' } }]);
  t.match(launcher.counters, {
    accepted: 1,
    refused: 1,
    served: 0,
    failed: 0,
    running: 0,
    held: 0,
  });
  t.end();
});

t.test('facts are there with both addresses and both ports, and not with fewer', async (t) => {
  const { client, server } = await makeSocketPair();
  t.teardown(() => {
    client.destroy();
    server.destroy();
  });
  const whole = {
    remoteAddress: '192.0.2.7',
    remotePort: 4711,
    localAddress: '::ffff:127.0.0.1',
    localPort: 110,
  };
  const facts = (changes: Partial<Record<keyof typeof whole, unknown>>) =>
    tryConnectionFacts({ ...whole, ...changes } as unknown as Socket);
  t.match(facts({}), { remote: { port: 4711 }, local: { address: { text: '127.0.0.1' } } });
  for (const name of Object.keys(whole)) t.equal(facts({ [name]: undefined }), null, name);
  for (const text of ['', '/run/socket', 'localhost']) {
    t.equal(facts({ remoteAddress: text }), null, text);
  }
  t.equal(tryConnectionFacts(server)?.remote.port, client.localPort);
});
