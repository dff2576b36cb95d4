// The server that bench/tls.ts measures: a process that keeps many sessions, as a worker does, with STLS.
// Usage: node build/bench/tls-server.js CERTIFICATE KEY PASSDB INBOX; prints its port. Ends with its standard input.

import { loadServerTls } from '../src/system/tls/tls-server.js';
import { startSessionServer } from '../test/support/programs/session-server.js';

const [cert = '', key = '', passdb = '', inbox = ''] = process.argv.slice(2);
const port = await startSessionServer(
  { teardown: () => undefined },
  {
    security: { tls: loadServerTls(cert, key), isImplicit: false, allowsCleartext: true },
    passdb,
    inbox,
  },
);
process.stdout.write(`${port}\n`);
process.stdin.resume().on('end', () => process.exit());
