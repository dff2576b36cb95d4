// What may be written where pop3get wants a domain, and what it says of anything else.

import t from 'tap';
import { makeMaildir, startFakeServer } from '../support/programs/pop3get-fixture.js';
import { runProgram } from '../support/programs/run-program.js';

for (const [domain, words] of [
  ['example.org:995', '--port 995 example.org USERNAME'],
  ['pop3s://example.org', '--tls implicit example.org USERNAME'],
  ['pop3://bob@example.org:110/', '--port 110 example.org bob'],
  ['[::1]:110', '--port 110 ::1 USERNAME'],
] as const) {
  t.test(`${domain} is no domain: the error says what to write`, async (t) => {
    const { status, stderr } = await runProgram(t, 'pop3get', [domain, 'ann', 'secret']);
    t.equal(status, 100);
    t.ok(stderr.includes(`: write ${words}`), stderr);
  });
}

t.test('blanks around an address and brackets around IPv6 mean nothing', async (t) => {
  const server = await startFakeServer(t, { messages: [], host: '::1' });
  for (const domain of ['[::1]', ' ::1 ']) {
    const args = ['--port', String(server.port), '--directory', makeMaildir(t), domain, 'ann'];
    const { status, stderr } = await runProgram(t, 'pop3get', [...args, 'secret']);
    t.equal(status, 0, stderr);
  }
});
