// A message of 4 TB, or a compressed one that unpacks to very much, was counted for minutes after SIGTERM, and after the
// client had gone.

import { readdirSync, readlinkSync, truncateSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { makeInbox } from '../support/mail/maildir-fixture.js';
import { gzipped } from '../support/mail/packed-messages.js';
import { startMailServer } from '../support/programs/mail-server.js';
import { startProgram } from '../support/programs/run-program.js';
import { startSession } from '../support/sessions/session-on-socket.js';
import { WireClient } from '../support/sessions/wire-client.js';
import { deadline, poll } from '../support/suite/deadline.js';
import { testFolder } from '../support/suite/test-folder.js';

const address = 'ann@example.org';
const sparseBytes = 4 * 1024 ** 4;
const kinds = { sparse: 'LIST', compressed: 'RETR 1' } as const;
type Kind = keyof typeof kinds;

/** A mail root with one message that takes minutes to count. */
function makeSite(t: Test, kind: Kind): { passdb: string; mailRoot: string; path: string } {
  const mailRoot = testFolder(t, {});
  const passdb = join(mailRoot, 'passdb.sqlite');
  makePasswordDatabase(passdb, { [address]: 'open sesame' });
  const inbox = makeInbox(mailRoot, address);
  const path = join(inbox.path, 'new', inbox.add(kind === 'sparse' ? '' : manyZeros()));
  if (kind === 'sparse') truncateSync(path, sparseBytes);
  return { passdb, mailRoot, path };
}

/** 64 GB in 1024 members of a gzip file. RFC 1952 §2.2. */
function manyZeros(): Buffer {
  const member = gzipped(Buffer.alloc(64 * 1024 * 1024));
  return Buffer.concat(Array.from({ length: 1024 }, () => member));
}

function tryReadLink(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

/** Waits until some process has a message open. */
async function untilCounting(path: string): Promise<void> {
  await poll(`nobody opened ${path}`, () => {
    const pids = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name));
    return Promise.resolve(pids.some((pid) => hasOpen(pid, path)) ? true : undefined);
  });
}

function hasOpen(pid: string, path: string): boolean {
  try {
    const fds = readdirSync(`/proc/${pid}/fd`);
    return fds.some((fd) => tryReadLink(`/proc/${pid}/fd/${fd}`) === path);
  } catch {
    return false;
  }
}

for (const [kind, command] of Object.entries(kinds) as [Kind, string][]) {
  t.test(`SIGTERM ends the counting of a ${kind} message`, async (t) => {
    const { passdb, mailRoot, path } = makeSite(t, kind);
    const program = startProgram(t, 'pop3d', ['--passdb', passdb], { cwd: mailRoot });
    const client = new WireClient(program.stdout, program.stdin);
    await client.login(address, 'open sesame');
    client.write(`${command}\r\n`);
    await untilCounting(path);
    program.kill('SIGTERM');
    t.match((await client.rest()).toString(), /^-ERR \[SYS\/TEMP\] [^\r]*\r\n$/, 'one answer');
    client.end();
    await deadline(program.ending, 20_000, () => program.stderr);
    t.match(program.stderr, /logout .*reason=signal/);
  });

  t.test(`so does the client's reset: ${kind}`, async (t) => {
    const { mailRoot, path } = makeSite(t, kind);
    const { port, program } = await startMailServer(t, mailRoot);
    const socket = connect({ port, host: '127.0.0.1' });
    const client = new WireClient(socket, socket);
    await client.login(address, 'open sesame');
    client.write(`${command}\r\n`);
    await untilCounting(path);
    socket.resetAndDestroy();
    await program.logLine(/logout .*reason=disconnect/);
    t.pass('the session ended');
  });
}

t.test('a client that only closed its side has the idle timeout, and no longer', async (t) => {
  const session = await startSession(t, { limits: { idleTimeoutMs: 300 } });
  const path = join(session.inbox.path, 'new', session.inbox.add(''));
  truncateSync(path, sparseBytes);
  session.socket.end(`USER ${address}\r\nPASS open sesame\r\nLIST\r\n`);
  await session.over();
  t.match(session.log.at(-1), { event: 'logout', fields: { reason: 'timeout' } });
});
