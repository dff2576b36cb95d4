// Logins while a tcpsrun is attacked that starts a process for each connection, as services/ have it.

import t from 'tap';
import { attack, ownProcessLoginLimitMs, startServer } from './attack.js';

t.test('a process for each: 1,000 connections that send an octet a second', async (t) => {
  await attack(await startServer(t, []), {
    ...{ kind: 'trickle', from: '127.0.0.66', count: 1000 },
    isUnderWay: ({ running = 0, refused = 0 }) => running >= 39 && refused > 0,
    limitHolds: 'once it is under way',
    limitMs: ownProcessLoginLimitMs,
  });
});

t.test('a process for each: up to 2,000 connections a second that are reset', async (t) => {
  await attack(await startServer(t, []), {
    ...{ kind: 'reset', from: '127.0.0.66', count: 2000 },
    isUnderWay: ({ accepted = 0 }) => accepted > 200,
    limitMs: ownProcessLoginLimitMs,
  });
});
