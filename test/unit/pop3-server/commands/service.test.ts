// The limits that every session has unless options say otherwise: what pop3d(8) promises.

import t from 'tap';
import { defaultLimits } from '../../../../src/pop3-server/commands/service.js';

t.test('limits are those of the manual, RFC 1939 §3 among them', (t) => {
  t.strictSame(defaultLimits, {
    loginTimeoutMs: 180_000,
    idleTimeoutMs: 600_000,
    handshakeTimeoutMs: 30_000,
    failureDelayMs: 2000,
    maxBadCommandsBeforeLogin: 3,
    maxBadCommandsAfterLogin: 20,
    maxFailedLogins: 10,
  });
  t.end();
});
