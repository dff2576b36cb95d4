// pop3get into an LMTP server that refuses, is busy, or is lost before it says what became of a message.

import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  numberedMessages,
  runPop3get,
  startFakeServer,
  type FakeServer,
} from '../support/programs/pop3get-fixture.js';
import type { Result } from '../support/programs/run-program.js';

/** What a command is answered with, the end of a message being `.`; null: the connection ends. */
type Answer = (command: string) => string | null | undefined;

class LmtpServer {
  /** Whole messages, also those of which nothing was said. */
  readonly messages: string[] = [];
  answer: Answer = () => undefined;
  port = 0;

  /** @returns the usual answer */
  #usual(command: string): string {
    if (command.startsWith('LHLO')) return '250-here\r\n250 8BITMIME';
    return command === 'DATA' ? '354 go on' : '250 fine';
  }

  async listen(t: Test): Promise<void> {
    const server = createServer((socket) => {
      let text = '';
      let isMessage = false;
      socket.on('error', () => undefined).write('220 here LMTP\r\n');
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
        for (;;) {
          const end = isMessage ? '\r\n.\r\n' : '\r\n';
          const index = text.indexOf(end);
          if (index === -1 || socket.writableEnded) return;
          const line = text.slice(0, index);
          text = text.slice(index + end.length);
          if (isMessage) this.messages.push(line);
          const command = isMessage ? '.' : line;
          isMessage = command === 'DATA';
          const answer = this.answer(command);
          if (answer !== null) socket.write(`${answer ?? this.#usual(command)}\r\n`);
          if (answer === null || answer?.startsWith('421') === true) socket.end();
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => server.close());
    this.port = (server.address() as AddressInfo).port;
  }
}

interface Scene {
  readonly pop3: FakeServer;
  readonly lmtp: LmtpServer;
  readonly state: string;
  readonly run: () => Promise<Result>;
}

async function setScene(t: Test, count: number): Promise<Scene> {
  const pop3 = await startFakeServer(t, { messages: numberedMessages(count) });
  const lmtp = new LmtpServer();
  await lmtp.listen(t);
  const state = join(t.testdir(), 'state');
  const where = [`lmtp:127.0.0.1:${lmtp.port}`, '--recipient', 'ann@example.org'];
  const run = (): Promise<Result> => runPop3get(t, pop3.port, state, ['--deliver', ...where]);
  return { pop3, lmtp, state, run };
}

t.test(
  'a server that is lost after the end of a message: undecided, and handed over again as the same',
  async (t) => {
    const { pop3, lmtp, state, run } = await setScene(t, 1);
    lmtp.answer = (command) => (command === '.' ? null : undefined);
    const lost = await run();
    t.equal(lost.status, 1, lost.stderr);
    t.match(lost.stderr, /before it said whether it took the message: the next run hands it over/);
    const journal = readdirSync(state).find((name) => name.endsWith('.journal')) ?? '';
    t.match(readFileSync(join(state, journal), 'latin1'), /^handing /m);
    t.equal(pop3.messages.length, 1);
    lmtp.answer = () => undefined;
    const again = await run();
    t.equal(again.status, 0, again.stderr);
    t.equal(pop3.messages.length, 0);
    const ids = lmtp.messages.map((text) => /^X-Pop3get-Id: ([0-9a-f]{32})\r$/m.exec(text)?.[1]);
    t.equal(ids.length, 2);
    t.equal(ids[0], ids[1]);
  },
);

t.test(
  'what is refused for now or for good stays, is named, and keeps no other back',
  async (t) => {
    for (const [where, said, words] of [
      [
        'RCPT',
        '452 4.2.2 full',
        /does not take the recipient ann@example.org now: .*452 4.2.2 full/,
      ],
      ['RCPT', '550 5.1.1 nobody', /refuses the recipient ann@example.org: .*550 5.1.1 nobody/],
      ['.', '451 4.3.0 later', /does not take it now: .*451 4.3.0 later/],
      ['.', '554 5.7.1 no', /refuses it: .*554 5.7.1 no/],
      // The connection ends with it; it is opened anew for the next message.
      ['RCPT', '421 4.3.2 busy', /does not take the recipient .* now: .*421 4.3.2 busy/],
    ] as const) {
      const { pop3, lmtp, run } = await setScene(t, 3);
      let times = 0;
      lmtp.answer = (command) =>
        command.startsWith(where) && (times += 1) === 2 ? said : undefined;
      const result = await run();
      t.equal(result.status, 1, result.stderr);
      t.match(result.stderr, words);
      t.match(result.stderr, /message-left .* number=2 uid=id-2$/m);
      t.same(
        pop3.messages.map(({ uniqueId }) => uniqueId),
        ['id-2'],
        said,
      );
      t.equal((await run()).status, 0);
      t.equal(pop3.messages.length, 0);
    }
  },
);
