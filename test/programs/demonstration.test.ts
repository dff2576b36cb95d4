// What `npm start` runs: the maildrop with mail in it, served until Ctrl-C.

import { statSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { asSent } from '../support/mail/as-sent.js';
import { MaildirFixture } from '../support/mail/maildir-fixture.js';
import { runProgram, startProgram } from '../support/programs/run-program.js';
import { connectWireClient } from '../support/sessions/wire-client.js';
import { testFolder } from '../support/suite/test-folder.js';

t.test('it makes a maildrop, serves it, and ends with exit 0 on Ctrl-C', async (t) => {
  const mailRoot = join(testFolder(t, {}), 'demo');
  const args = ['--port', '0', '--directory', mailRoot];
  const demonstration = startProgram(t, 'demonstration', args);
  const [, port] = await demonstration.logLine(/tcpsrun: listening .*port=(\d+)/);
  const stored = new MaildirFixture(join(mailRoot, 'example.org', 'demo', 'INBOX')).contents();
  t.equal(stored.length, 3);

  const client = await connectWireClient(Number(port));
  await client.login('demo@example.org', 'demo');
  for (const [index, message] of stored.entries()) {
    t.ok((await client.message(`RETR ${index + 1}`)).equals(asSent(message)));
  }
  t.ok(stored.some((message) => message.includes('\n.\n') && message.some((byte) => byte > 127)));

  demonstration.kill('SIGINT');
  // npm passes a terminal's Ctrl-C on, so that it comes twice.
  demonstration.kill('SIGINT');
  const { status, stdout, stderr } = await demonstration.finish();
  t.equal(status, 0);
  t.match(
    stdout.toString(),
    `curl -u demo@example.org:demo pop3://127.0.0.1:${String(port)}/2\n`,
    'the command that reads a message stands on a line',
  );
  t.notMatch(stderr, /^\s+at /m, 'no stack trace');
  t.match((await client.rest()).toString(), /^(?:-ERR .*\r\n)?$/, 'the open session ended too');
});

t.test('it serves what is there from an earlier run', async (t) => {
  const mailRoot = join(testFolder(t, {}), 'demo');
  for (const expectedCount of [3, 2]) {
    const args = ['--port', '0', '--directory', mailRoot];
    const demonstration = startProgram(t, 'demonstration', args);
    const [, port] = await demonstration.logLine(/tcpsrun: listening .*port=(\d+)/);
    const client = await connectWireClient(Number(port));
    await client.login('demo@example.org', 'demo');
    t.equal((await client.listing('LIST')).length, expectedCount);
    await client.ok('DELE 1');
    await client.ok('QUIT');
    demonstration.kill('SIGTERM');
    t.equal((await demonstration.finish()).status, 0);
  }
});

t.test('with a umask of 0 its maildrop can be opened, and nobody else may change it', async (t) => {
  const mailRoot = join(testFolder(t, {}), 'demo');
  const umask = process.umask(0);
  t.teardown(() => process.umask(umask));
  const args = ['--port', '0', '--directory', mailRoot];
  const demonstration = startProgram(t, 'demonstration', args);
  const [, port] = await demonstration.logLine(/tcpsrun: listening .*port=(\d+)/);
  const client = await connectWireClient(Number(port));
  await client.login('demo@example.org', 'demo');
  t.equal((await client.listing('LIST')).length, 3);
  await client.ok('QUIT');
  for (const name of ['example.org', 'example.org/demo', 'example.org/demo/INBOX']) {
    t.equal(statSync(join(mailRoot, name)).mode & 0o077, 0, name);
  }
  demonstration.kill('SIGTERM');
  t.equal((await demonstration.finish()).status, 0);
});

t.test('a port that is taken is said to be', async (t) => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  t.teardown(() => other.close());
  const { port } = other.address() as AddressInfo;
  const args = ['--port', String(port), '--directory', join(testFolder(t, {}), 'demo')];
  const { status, stdout, stderr } = await startProgram(t, 'demonstration', args).finish();
  t.equal(status, 111);
  t.equal(stdout.length, 0);
  t.match(stderr, new RegExp(`tcpsrun: .*127.0.0.1 port ${port}: .*address already in use`));
  t.match(stderr, `demonstration: temporary failure: nothing is served`);
  t.notMatch(stderr, /^\s+at /m);
});

t.test('a directory that cannot be made is named', async (t) => {
  const { status, stderr } = await runProgram(t, 'demonstration', [
    '--directory',
    '/dev/null/x/demo',
  ]);
  t.equal(status, 100);
  t.equal(stderr, 'demonstration: fatal: cannot make /dev/null/x/demo: not a directory\n');
});
