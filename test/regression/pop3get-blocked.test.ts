// One message that kept all others on the server for ever, and file systems on which nothing could be stored.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { attack } from '../support/programs/pop3get-attack.js';
import {
  hangUp,
  makeMaildir,
  numberedMessages,
  runPop3get,
  silence,
  sortedContents,
  startFakeServer,
  storedContents,
  type Fault,
  type FakeServer,
} from '../support/programs/pop3get-fixture.js';
import { builtProgram, runCommand, type Result } from '../support/programs/run-program.js';
import { unlessTraceable } from '../support/suite/path-trace.js';
import { testFolder } from '../support/suite/test-folder.js';
import type { Socket } from 'node:net';

const five = numberedMessages(5);
const second = five.slice(1, 2);
const faults: Readonly<Record<string, (socket: Socket) => Fault>> = {
  'an empty line': () => '\r\n',
  'a close': hangUp,
  silence: () => silence,
};

for (const capability of ['TOP', 'PIPELINING']) {
  for (const keyword of ['DELE', 'RETR']) {
    for (const [what, fault] of Object.entries(faults)) {
      t.test(
        `${keyword} of one message answered with ${what} (${capability}): the others go`,
        async (t) => {
          const isRetrieved = keyword !== 'RETR';
          const { stderr, left, server, stored, again } = await attack(
            t,
            {
              ...{ messages: five, capabilities: ['USER', 'UIDL', 'TOP', capability] },
              fault: (line, _session, socket, { listed }) => {
                const number = listed.findIndex(({ uniqueId }) => uniqueId === 'id-2') + 1;
                return number > 0 && line.startsWith(`${keyword} ${number}`)
                  ? fault(socket)
                  : undefined;
              },
            },
            ['--timeout', '2'],
          );
          t.match(stderr, /message-left .* number=\d+ uid=id-2/);
          t.equal(left, 1);
          t.same(server.messages, second);
          t.equal(stored.length, isRetrieved ? 5 : 4);
          const next = await again();
          t.same([next.status, next.left, next.stored.length], [1, 1, stored.length]);
        },
      );
    }
  }
}

for (const [what, fault] of Object.entries(faults)) {
  t.test(`TOP of a message that is stored answered with ${what}: all go`, async (t) => {
    let isFaulty = false;
    const server: FakeServer = await startFakeServer(t, {
      messages: five,
      fault: (line, _session, socket, { listed }) => {
        const number = listed.findIndex(({ uniqueId }) => uniqueId === 'id-2') + 1;
        return isFaulty && line.startsWith(`TOP ${number} `) ? fault(socket) : undefined;
      },
    });
    const maildir = makeMaildir(t);
    t.equal((await runPop3get(t, server.port, maildir, ['--keep'])).status, 0);
    isFaulty = true;
    const { status, stderr } = await runPop3get(t, server.port, maildir, ['--timeout', '2']);
    t.equal(status, 0, stderr);
    t.equal(server.messages.length, 0);
    t.same([...storedContents(maildir)].sort(), sortedContents(five));
  });
}

t.test(
  'a login delay and a message that ends every session: the others go, run by run',
  async (t) => {
    let logins = 0;
    const server: FakeServer = await startFakeServer(t, {
      ...{ messages: five, capabilities: ['USER', 'UIDL', 'LOGIN-DELAY 60'] },
      fault: (line, _session, socket, { listed }) => {
        if (line.startsWith('PASS')) {
          logins += 1;
          return logins > 1 ? '-ERR [LOGIN-DELAY] wait\r\n' : undefined;
        }
        const number = listed.findIndex(({ uniqueId }) => uniqueId === 'id-2') + 1;
        return line === `RETR ${number}` ? hangUp(socket) : undefined;
      },
    });
    const maildir = makeMaildir(t);
    let stderr = '';
    for (let runs = 0; runs < 5; runs += 1) {
      logins = 0;
      ({ stderr } = await runPop3get(t, server.port, maildir));
    }
    t.same(server.messages, second);
    t.match(
      stderr,
      /^pop3get: failed error=.*LOGIN-DELAY.*before that: .*RETR of message 1 \(unique-id id-2\)/m,
    );
  },
);

/** Runs it with calls failing. */
async function runInjecting(
  t: Test,
  server: FakeServer,
  maildir: string,
  strace: readonly string[],
): Promise<Result> {
  const output = join(testFolder(t, {}), 'trace');
  return runCommand(
    t,
    'strace',
    [
      ...['-f', '-qq', '-o', output, ...strace],
      ...[process.execPath, builtProgram('pop3get'), '--port', String(server.port)],
      ...['--directory', maildir, '127.0.0.1', 'ann'],
    ],
    { env: { POP3GET_PASSWORD: 'secret' } },
  );
}

for (const error of ['EPERM', 'EACCES', 'ENOSYS', 'EOPNOTSUPP']) {
  t.test(
    `no link(2) on this file system (${error}): renamed`,
    { skip: unlessTraceable() },
    async (t) => {
      const server = await startFakeServer(t, { messages: five });
      const maildir = makeMaildir(t);
      const inject = ['-e', 'trace=link,linkat', '-e', `inject=link,linkat:error=${error}`];
      const { status, stderr } = await runInjecting(t, server, maildir, inject);
      t.equal(status, 0, stderr);
      t.same([...storedContents(maildir)].sort(), sortedContents(five));
      t.same(readdirSync(join(maildir, 'tmp')), []);
      t.equal(server.messages.length, 0);
    },
  );
}

t.test('no fsync(2) for directories is no failure', { skip: unlessTraceable() }, async (t) => {
  const server = await startFakeServer(t, { messages: five });
  const maildir = makeMaildir(t);
  const inject = ['-P', maildir, '-P', join(maildir, 'new'), '-e', 'inject=fsync:error=EINVAL'];
  const { status, stderr } = await runInjecting(t, server, maildir, inject);
  t.equal(status, 0, stderr);
  t.equal(storedContents(maildir).length, 5);
});
