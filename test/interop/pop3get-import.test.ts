// Mailboxes that getmail6, fetchmail and mpop fetched and left on the server: pop3get goes on where they stopped.

import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { expectProgram, unlessInstalled, unlessRoot } from '../support/peers/debian.js';
import {
  makeMaildir,
  numberedMessage,
  numberedMessages,
  runPop3get,
  startFakeServer,
  storedContents,
  type FakeServer,
} from '../support/programs/pop3get-fixture.js';
import { runProgram, startCommand } from '../support/programs/run-program.js';

const nobody = 65534;
t.setTimeout(1_000_000);

/** Has a client fetch so many messages and keep them; returns the file in which it remembers that. */
type Client = (t: Test, port: number, folder: string, count: number) => Promise<string>;

async function run(
  t: Test,
  folder: string,
  program: string,
  args: readonly string[],
): Promise<void> {
  const env = { HOME: folder };
  const running = startCommand(t, expectProgram(program), args, { env });
  const { status, stderr } = await running.finish('', 900_000);
  if (status !== 0) throw new Error(`${program}: ${String(status)} ${stderr.slice(0, 2000)}`);
}

const clients: readonly (readonly [name: string, client: Client])[] = [
  [
    'getmail',
    async (t, port, folder, count) => {
      const settings = join(folder, 'getmail');
      const maildir = makeMaildir(t);
      mkdirSync(settings, { mode: 0o700 });
      writeFileSync(
        join(settings, 'rc'),
        `[retriever]
type = SimplePOP3Retriever
server = 127.0.0.1
port = ${port}
username = ann
password = secret
timeout = 10
[destination]
type = Maildir
path = ${maildir}/
[options]
delete = false
read_all = false
verbose = 0
max_messages_per_session = 100
`,
      );
      // It refuses to deliver as root.
      for (const path of [folder, settings, join(settings, 'rc'), maildir])
        chownSync(path, nobody, nobody);
      for (const name of ['tmp', 'new', 'cur']) chownSync(join(maildir, name), nobody, nobody);
      const fetched = (): number =>
        existsSync(state) ? readFileSync(state, 'latin1').split('\n').length - 1 : 0;
      const state = join(settings, `oldmail-127.0.0.1-${port}-ann`);
      // It loses the end of a child that is quicker than itself, waits for it as long as for a server,
      // and gives up, with what that session fetched forgotten.
      for (let runs = 0; runs < 100 && fetched() < count; runs += 1) {
        await run(t, folder, 'setpriv', [
          ...[`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', expectProgram('getmail')],
          ...['--getmaildir', settings, '--rcfile', 'rc'],
        ]).catch((error: unknown) => {
          if (!/waiting child pid \d+ timed out/.test(String(error))) throw error;
        });
      }
      return state;
    },
  ],
  [
    'fetchmail',
    async (t, port, folder) => {
      const settings = join(folder, 'fetchmailrc');
      writeFileSync(
        settings,
        `poll 127.0.0.1 protocol pop3 port ${port} uidl auth password user "ann" password "secret" keep mda "cat >/dev/null" sslproto ""\n`,
        { mode: 0o600 },
      );
      const state = join(folder, 'fetchids');
      await run(t, folder, 'fetchmail', [
        ...['-f', settings, '-i', state, '--silent', '--pidfile', join(folder, 'pid')],
      ]);
      return state;
    },
  ],
  [
    'mpop',
    async (t, port, folder) => {
      const state = join(folder, 'uidls');
      await run(t, folder, 'mpop', [
        ...['--file=/dev/null', '--host=127.0.0.1', `--port=${port}`, '--user=ann', '--quiet'],
        ...['--passwordeval=echo secret', '--keep=on', '--auth=user', '--tls=off'],
        ...[`--delivery=maildir,${makeMaildir(t)}`, `--uidls-file=${state}`],
      ]);
      return state;
    },
  ],
];

async function importFrom(
  t: Test,
  client: Client,
  server: FakeServer,
  count: number,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'client-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const state = await client(t, server.port, folder, count);
  t.ok(existsSync(state), state);
  const maildir = makeMaildir(t);
  const { status, stdout, stderr } = await runProgram(t, 'pop3get', [
    ...['--directory', maildir, 'import-state', state, '127.0.0.1', 'ann'],
  ]);
  t.equal(status, 0, stderr);
  t.match(stdout.toString(), new RegExp(`^${count} unique-ids of ann@127.0.0.1 taken over from`));
  return maildir;
}

for (const [name, client] of clients) {
  t.test(
    `what ${name} fetched and kept is not fetched again, nor deleted`,
    { skip: unlessInstalled(name) || (name === 'getmail' && unlessRoot()) },
    async (t) => {
      // getmail6 starts a process for each message.
      const count = Number(process.env['KEPT_MESSAGES'] ?? (name === 'getmail' ? 30 : 1000));
      const server = await startFakeServer(t, { messages: numberedMessages(count) });
      const maildir = await importFrom(t, client, server, count);
      server.messages.push(numberedMessage(count + 1));
      server.commands.length = 0;
      const kept = await runPop3get(t, server.port, maildir, ['--keep', '--json']);
      t.match(JSON.parse(kept.stdout.toString()), { stored: 1, known: count, kept: count + 1 });
      t.same(
        server.commands.filter((line) => line.startsWith('RETR')),
        [`RETR ${count + 1}`],
      );
      const later = await runPop3get(t, server.port, maildir, ['--json']);
      t.match(JSON.parse(later.stdout.toString()), { stored: 0, deleted: 1, left: count });
      t.equal(storedContents(maildir).length, 1);
    },
  );
}
