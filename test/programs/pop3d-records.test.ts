// What administrators find in the log: --log-messages, and a warning when unique-ids changed. By processes and workers.

import { renameSync, writeFileSync } from 'node:fs';
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

  t.test(`by ${title}, other unique-ids for the same messages are a warning`, async (t) => {
    const { cwd, inbox } = makeOwnedMailRoot(t);
    fill(inbox, 12);
    const names = inbox.names('new');
    writeFileSync(
      join(inbox.path, 'dovecot-uidlist'),
      `3 V1700000000 N13\n${names.map((name, index) => `${index + 1} :${name}\n`).join('')}`,
    );
    const logIn = await start(t, cwd);
    const listIds = async (...args: readonly string[]): Promise<Session> => {
      const session = await logIn(...args);
      await session.client.listing('LIST');
      await session.client.listing('UIDL');
      return session;
    };
    for (const args of [[], []]) {
      t.notMatch(await (await listIds(...args)).quit(), 'unique-ids-changed', 'nothing changed');
    }
    const switched = await (await listIds('--uidl', 'dovecot')).quit();
    const [line] = /^pop3d: unique-ids-changed .*$/m.exec(switched) ?? [];
    t.match(line, `changed=12 of=12 messages=12 file=${names[0] ?? ''} before=${names[0] ?? ''}`);
    t.match(line, / now=000000016553f100 why="the same files/);
    // A worker that finds the Maildir as its last session left it compares nothing: going back may not be told.
    await (await listIds()).quit();

    for (const [index, name] of names.entries()) {
      const copy = `${1_800_000_000 + index}.copy:2,S`;
      renameSync(join(inbox.path, 'new', name), join(inbox.path, 'cur', copy));
    }
    t.match(await (await listIds()).quit(), /unique-ids-changed .*why="the same octets/);
  });

  t.test(`by ${title}, a maildrop that is emptied and filled again is no warning`, async (t) => {
    const { cwd, inbox } = makeOwnedMailRoot(t);
    const logIn = await start(t, cwd);
    for (let round = 0; round < 3; round += 1) {
      // Other octets each time: new mail.
      fill(inbox, 12, 100 * round);
      const session = await logIn();
      await session.client.listing('LIST');
      await session.client.listing('UIDL');
      t.notMatch(await session.quit(), 'unique-ids-changed');
      for (const name of inbox.names('new')) inbox.remove('new', name);
    }
  });
}
