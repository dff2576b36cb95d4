// pop3d under every super-server that Debian has: a whole session with curl, the peer's address in the log, and a denied
// client that sees a close without a byte.

import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { asSent } from '../support/mail/as-sent.js';
import { poll } from '../support/suite/deadline.js';
import { expectProgram, unlessInstalled, unlessRoot } from '../support/peers/debian.js';
import { freePort } from '../support/suite/free-port.js';
import { makeInbox, type MaildirFixture } from '../support/mail/maildir-fixture.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { runCommand, startCommand, type RunningProgram } from '../support/programs/run-program.js';
import { fillBin, superservers, type Superserver } from '../support/peers/superservers.js';
import { Client } from '../support/programs/tcpsrun-fixture.js';
import { testFolder } from '../support/suite/test-folder.js';

const message = Buffer.from('Subject: one\n\n.first\nlast\n');
const peer = '127.0.0.9';

interface Running {
  readonly port: number;
  readonly inbox: MaildirFixture;
  readonly scratch: string;
  readonly program: RunningProgram;
  /** Where pop3d's log lines come out. */
  readonly log: RunningProgram;
}

async function start(t: Test, superserver: Superserver, isDenied: boolean): Promise<Running> {
  const root = testFolder(t, { mail: {}, bin: {}, scratch: {} });
  const [mailRoot, bin, scratch] = [join(root, 'mail'), join(root, 'bin'), join(root, 'scratch')];
  makePasswordDatabase(join(mailRoot, 'passdb.sqlite'), { 'ann@example.org': 'open sesame' });
  const inbox = makeInbox(mailRoot, 'ann@example.org');
  inbox.add(message);
  const port = await freePort();
  // A socket's path has at most 107 octets; the test's own folder may have a longer one.
  const socketFolder = mkdtempSync(join(tmpdir(), 'syslog-'));
  t.teardown(() => {
    rmSync(socketFolder, { recursive: true });
  });
  const syslog = await startSyslog(t, superserver, socketFolder);
  fillBin(bin, join(socketFolder, 'syslog'));
  const command = superserver.command({ port, mailRoot, scratch, bin, isDenied });
  const [file = '', ...args] = command;
  const program = startCommand(t, file, args, { cwd: mailRoot });
  await poll(`${superserver.name} to listen`, () =>
    Promise.resolve(isListening(port) ? true : undefined),
  );
  return { port, inbox, scratch, program, log: syslog ?? program };
}

/** A collector of what logger(1) sends, for those that give pop3d no stderr of its own. */
async function startSyslog(
  t: Test,
  { log }: Superserver,
  folder: string,
): Promise<RunningProgram | null> {
  if (log !== 'syslog') return null;
  const collector = startCommand(t, '/bin/sh', [
    '-c',
    `exec ${expectProgram('socat')} -u UNIX-RECV:${folder}/syslog STDOUT >&2`,
  ]);
  await poll('the syslog socket', () =>
    Promise.resolve(readdirSync(folder).includes('syslog') ? true : undefined),
  );
  return collector;
}

/** Asks the system, as a connection would start a session. */
function isListening(port: number): boolean {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return new RegExp(`: ${local} [0-9A-F:]+ 0A `).test(readFileSync('/proc/net/tcp', 'latin1'));
}

function needsOf({ needs, needsRoot, log }: Superserver): string | false {
  const programs = log === 'syslog' ? ['socat', 'logger', ...needs] : needs;
  return unlessInstalled('curl', ...programs) || (needsRoot === true && unlessRoot());
}

for (const superserver of superservers) {
  t.test(
    `under ${superserver.name} curl lists, retrieves and deletes, and the log knows the peer`,
    { skip: needsOf(superserver) },
    async (t) => {
      const { port, inbox, log } = await start(t, superserver, false);
      const curl = async (path: string, ...args: readonly string[]): Promise<string> => {
        const result = await runCommand(t, expectProgram('curl'), [
          ...['--silent', '--show-error', '--max-time', '20', '--interface', peer],
          ...['-u', 'ann@example.org:open sesame', ...args, `pop3://127.0.0.1:${port}/${path}`],
        ]);
        t.equal(result.status, 0, result.stderr);
        return result.stdout.toString('latin1');
      };
      t.equal(await curl(''), `1 ${asSent(message).length}\r\n`);
      t.equal(await curl('1'), asSent(message).toString('latin1'));
      await curl('1', '-X', 'DELE', '--head');
      await poll('the message to be gone', () =>
        Promise.resolve(inbox.contents().length === 0 ? true : undefined),
      );
      // Datagrams to syslog have no line ends.
      const logged = await poll('the session in the log', () =>
        Promise.resolve(/pop3d: connect [^<\n]*peer=([0-9a-f.:]+)/.exec(log.stderr) ?? undefined),
      );
      t.equal(logged[1], peer);
    },
  );

  t.test(
    `under ${superserver.name} a denied client sees a close and no byte`,
    { skip: needsOf(superserver) },
    async (t) => {
      const { port } = await start(t, superserver, true);
      t.same(await new Client(port, peer).end(), { received: '', error: undefined });
    },
  );
}

t.test('the recording run file leaves a record without the password', async (t) => {
  const superserver = superservers.find(({ name }) => name.includes('recording'));
  if (superserver === undefined) throw new Error('no such super-server');
  const { port, scratch } = await start(t, superserver, false);
  const client = new Client(port, peer);
  await client.firstLine();
  client.socket.write('USER ann@example.org\r\nPASS open sesame\r\nRETR 1\r\nQUIT\r\n');
  await client.end();
  client.socket.destroy();
  const record = await poll('the record to be finished', () => {
    const [name] = readdirSync(scratch).filter((file) => file.endsWith('.txt'));
    const text = name === undefined ? '' : readFileSync(join(scratch, name), 'latin1');
    return Promise.resolve(
      text.includes('C: QUIT') && /S: \+OK[^\n]*\n$/.test(text) ? text : undefined,
    );
  });
  t.match(record, /^[0-9.]+ S: \+OK/);
  t.match(record, /C: USER ann@example\.org\n/);
  t.match(record, /C: PASS \(masked\)\n/);
  t.match(record, /S: \.\.first\n/);
  t.notMatch(record, /sesame/);
});
