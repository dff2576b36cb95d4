// What administrators find in the log: --log-messages. By processes and workers.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { poll } from '../support/suite/deadline.js';
import type { MaildirFixture } from '../support/mail/maildir-fixture.js';
import { makeOwnedMailRoot } from '../support/mail/owned-mail-root.js';
import { builtProgram, startProgram } from '../support/programs/run-program.js';
import { connectWireClient, WireClient } from '../support/sessions/wire-client.js';

/** Starts sessions on a mail root, each with further arguments for pop3d. */
type Sessions = (...args: readonly string[]) => Promise<Session>;

/** A session of `ann@example.org`, logged in. */
class Session {
  readonly client: WireClient;
  /** Waits until all of its log is there. @returns it */
  readonly #log: () => Promise<string>;

  constructor(client: WireClient, log: () => Promise<string>) {
    this.client = client;
    this.#log = log;
  }

  /** QUIT, and the end. @returns the log */
  async quit(): Promise<string> {
    await this.client.ok('QUIT');
    await this.client.rest();
    this.client.end();
    return this.#log();
  }
}

function byProcesses(t: Test, cwd: string): Promise<Sessions> {
  return Promise.resolve(async (...args) => {
    const program = startProgram(t, 'pop3d', args, { cwd });
    const client = new WireClient(program.stdout, program.stdin);
    await client.login('ann@example.org', 'open sesame');
    return new Session(client, async () => {
      await program.ending;
      return program.stderr;
    });
  });
}

async function byWorker(t: Test, cwd: string): Promise<Sessions> {
  const runFile = join(cwd, 'test.run');
  const describe = (args: readonly string[]): void => {
    const argv = ['node', builtProgram('pop3d'), ...args];
    const lines = argv.map((value) => `argument "${value}"\n`).join('');
    writeFileSync(runFile, `chdir "${cwd}"\nprogram ${process.execPath}\n${lines}`);
  };
  describe([]);
  const program = startProgram(t, 'tcpsrun', ['--workers', '1', '127.0.0.1', '0', runFile]);
  const [, port = ''] = await program.logLine(/listening.*\bport=(\d+)/);
  return async (...args) => {
    // Other arguments need no new worker: the same process serves all sessions.
    describe(args);
    const from = program.stderr.length;
    const client = await connectWireClient(Number(port));
    await client.login('ann@example.org', 'open sesame');
    return new Session(client, () =>
      poll('the end of the session in the log', () => {
        // The launcher's line: whatever the worker says of the session is before it.
        const log = program.stderr.slice(from);
        return Promise.resolve(/^tcpsrun: end /m.test(log) ? log : undefined);
      }),
    );
  };
}

/** A Maildir whose messages have different octets. */
function fill(inbox: MaildirFixture, count: number, moreOctets = 0): void {
  for (let number = 1; number <= count; number += 1) {
    inbox.add(`Subject: ${number}\n\n${'x'.repeat(number + moreOctets)}\n`);
  }
}

for (const [title, start] of [
  ['processes', byProcesses],
  ['a kept worker', byWorker],
] as const) {
  t.test(`by ${title}, --log-messages tells what became of messages`, async (t) => {
    const { cwd, inbox } = makeOwnedMailRoot(t);
    fill(inbox, 3);
    const logIn = await start(t, cwd);
    const session = await logIn('--log-messages');
    await session.client.listing('LIST');
    await session.client.listing('UIDL');
    await session.client.message('RETR 2');
    await session.client.message('TOP 3 0');
    await session.client.ok('DELE 2');
    const log = await session.quit();
    const [, id = ''] = /^pop3d: login session=(\S+)/m.exec(log) ?? [];
    const [name = ''] = inbox.names('new').slice(-1);
    const messages = log.split('\n').filter((line) => line.startsWith('pop3d: message '));
    t.equal(messages.length, 2);
    t.match(
      messages[0],
      new RegExp(
        `session=${id} user=ann@example.org number=2 uid=(\\S+) file=\\1 octets=18 retr=whole top=no dele=removed$`,
      ),
    );
    t.match(messages[1], `number=3 uid=${name} file=${name} octets=19 retr=no top=part dele=no`);
  });
}
