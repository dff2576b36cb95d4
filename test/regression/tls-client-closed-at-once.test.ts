// A client that closes with the last octets of its TLS handshake, as health checks do, kept its place until the login deadline.

import t from 'tap';
import { defaultLimits } from '../../src/pop3-server/commands/service.js';
import { runScriptInTls } from '../fuzz/tls-session.js';
import { deadline } from '../support/suite/deadline.js';

t.test('a client that closes with the end of its handshake ends its session', async (t) => {
  const script = {
    pieces: [],
    isSlow: false,
    messages: [],
    account: { address: 'ann@example.org', password: 'open sesame' },
    limits: { loginTimeoutMs: defaultLimits.loginTimeoutMs },
  };
  const { sent } = await deadline(runScriptInTls(script, ''), 20_000, () => 'the session goes on');
  t.match(sent, /^\+OK /);
});
