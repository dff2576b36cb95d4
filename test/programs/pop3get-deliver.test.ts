// pop3get that hands mail over: to commands, and to a stand-in of Gmail; what is taken, refused, and not known.

import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startGmailStandIn, type ImportFault } from '../support/peers/gmail-stand-in.js';
import {
  numberedMessages,
  runPop3get,
  sortedContents,
  startFakeServer,
  type FakeServer,
  type FakeServerOptions,
} from '../support/programs/pop3get-fixture.js';
import { takingRetrForDele } from '../support/programs/pop3get-odd-server.js';
import { startProgram, type Result } from '../support/programs/run-program.js';
import { seededRandom } from '../torture/random.js';

const three = numberedMessages(3);
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() & 0xffffff);
t.setTimeout(900_000 + Number(process.env['POP3GET_KILLS'] ?? 0) * 10_000);

/** The messages that a command stored, each in a file named after its id. */
function storedIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => /^[0-9a-f]{32}$/.test(name))
    .map((name) => readFileSync(join(folder, name), 'latin1').replace(/\n/g, '\r\n'))
    .map((text) => text.slice(text.indexOf('Subject: message')))
    .sort();
}

interface Scene {
  readonly server: FakeServer;
  readonly state: string;
  readonly mail: string;
  readonly run: (where: string, args?: readonly string[]) => Promise<Result>;
}

async function setScene(
  t: Test,
  messages = three,
  fault?: FakeServerOptions['fault'],
): Promise<Scene> {
  const server = await startFakeServer(t, { messages, ...(fault === undefined ? {} : { fault }) });
  const folder = t.testdir();
  const mail = join(folder, 'mail');
  const state = join(folder, 'state');
  mkdirSync(mail);
  const run = (where: string, args: readonly string[] = []): Promise<Result> =>
    runPop3get(t, server.port, state, ['--deliver', where, ...args]);
  return { server, state, mail, run };
}

t.test('a command gets each message with its id, and what it takes is deleted', async (t) => {
  const { server, state, mail, run } = await setScene(t);
  const result = await run(`command:cat >${mail}/$POP3GET_ID`);
  t.equal(result.status, 0, result.stderr);
  t.match(result.stderr, /stored=3 .*deleted=3/);
  t.same(storedIn(mail), sortedContents(three));
  t.equal(server.messages.length, 0);
  t.same(readdirSync(join(state, 'tmp')), []);
  const [name = ''] = readdirSync(mail);
  t.match(readFileSync(join(mail, name), 'latin1'), `X-Pop3get-Id: ${name}\nReceived: from`);
});

t.test('its exit status says what became of a message; what it does not take stays', async (t) => {
  for (const [status, words] of [
    [75, /asks to try again \(exit status 75\)/],
    [111, /asks to try again \(exit status 111\)/],
    [1, /refuses it \(exit status 1\)/],
  ] as const) {
    const { server, mail, run } = await setScene(t);
    const where = `command:cat >${mail}/$POP3GET_ID; grep -q "message 2" ${mail}/$POP3GET_ID || exit 0; rm ${mail}/$POP3GET_ID; exit ${status}`;
    const result = await run(where);
    t.equal(result.status, 1, result.stderr);
    t.match(result.stderr, words);
    t.match(result.stderr, /message-left reason=.* account=ann@127.0.0.1 number=2 uid=id-2/);
    t.equal(server.messages.length, 1);
    t.equal(storedIn(mail).length, 2);
    t.equal((await run(`command:cat >${mail}/$POP3GET_ID`)).status, 0);
    t.same(storedIn(mail), sortedContents(three));
  }
});

t.test('a command that cannot be run ends the run with 111, and nothing is deleted', async (t) => {
  const { server, state, run } = await setScene(t);
  const result = await run('command:/nonexistent/program');
  t.equal(result.status, 111, result.stderr);
  t.match(result.stderr, /cannot be run \(exit status 127\)/);
  t.equal(server.messages.length, 3);
  t.same(readdirSync(join(state, 'tmp')), []);
});

t.test(
  'a command that is killed may have delivered: the next run hands it over with the same id',
  async (t) => {
    const { server, state, mail, run } = await setScene(t, numberedMessages(1));
    const result = await run(`command:cat >${mail}/$POP3GET_ID; kill -9 $$`);
    t.equal(result.status, 1, result.stderr);
    t.match(
      result.stderr,
      /ended by SIGKILL and may have delivered: the next run hands it over again/,
    );
    const journal = readdirSync(state).find((name) => name.endsWith('.journal')) ?? '';
    t.match(readFileSync(join(state, journal), 'latin1'), /^handing /m);
    t.equal(server.messages.length, 1);
    t.equal((await run(`command:cat >${mail}/$POP3GET_ID`)).status, 0);
    t.equal(readdirSync(mail).length, 1, 'one id');
    t.notMatch(readFileSync(join(state, journal), 'latin1'), /^handing /m);
  },
);

t.test(
  `pop3get killed at random while a command delivers: nothing is lost (seed ${seed})`,
  async (t) => {
    const random = seededRandom(seed);
    for (let count = 0; count < Number(process.env['POP3GET_KILLS'] ?? 5); count += 1) {
      const messages = numberedMessages(30);
      // Not a time after the start: what a machine does with that is mostly starting.
      const afterMs = random(400);
      let timer: NodeJS.Timeout | undefined;
      const { server, state, mail, run } = await setScene(t, messages, (line) => {
        if (line.startsWith('RETR')) timer ??= setTimeout(() => victim.kill('SIGKILL'), afterMs);
        return undefined;
      });
      const where = `command:cat >${mail}/.$POP3GET_ID.$$ && mv ${mail}/.$POP3GET_ID.$$ ${mail}/$POP3GET_ID && echo $POP3GET_ID >>${mail}/.log`;
      const args = ['--port', String(server.port), '--directory', state, '--deliver', where];
      const victim = startProgram(t, 'pop3get', [...args, '127.0.0.1', 'ann'], {
        env: { POP3GET_PASSWORD: 'secret' },
      });
      await victim.ending;
      clearTimeout(timer);
      const again = await run(where);
      t.equal(again.status, 0, again.stderr);
      t.equal(server.messages.length, 0);
      t.same(storedIn(mail), sortedContents(messages), `killed after ${afterMs} ms`);
      const runs = existsSync(join(mail, '.log'))
        ? readFileSync(join(mail, '.log'), 'latin1').trim().split('\n')
        : [];
      t.ok(runs.length <= messages.length + 1, 'at most the one that was on its way came twice');
    }
  },
);

/** With a Message-ID of their own but for the last, and two that share one. */
const mailed = ['<a@x>', '<b@x>', '<b@x>', null].map((id, index) => ({
  uniqueId: `id-${index}`,
  content: Buffer.from(
    `${id === null ? '' : `Message-ID: ${id}\r\n`}Subject: message ${index}\r\n\r\nbody\r\n`,
  ),
}));

t.test(
  'Gmail: 429, 5xx, a token that ends, and answers that are lost: each message once',
  async (t) => {
    for (const faults of [
      [],
      ['too-many', 'error', 'too-many'],
      ['unauthorized'],
      ['late-error'],
      ['lost'],
      [undefined, 'lost', 'late-error'],
      [undefined, undefined, undefined, 'lost'],
    ] as readonly (readonly ImportFault[])[]) {
      const gmail = await startGmailStandIn(t);
      gmail.faults = [...faults];
      const { server, run } = await setScene(t, mailed);
      const args = ['--gmail-token-command', 'echo good'];
      const first = await run(gmail.where, args);
      const isLost = faults.includes('lost');
      t.equal(first.status, isLost ? 1 : 0, `${String(faults)}: ${first.stderr}`);
      if (isLost) t.match(first.stderr, /gmail did not say whether it took the message/);
      t.equal((await run(gmail.where, args)).status, 0);
      t.equal(server.messages.length, 0, String(faults));
      const subjects = gmail.messages
        .map((text) => /^Subject: (.*)$/m.exec(text)?.[1]?.trim())
        .sort();
      t.same(subjects, ['message 0', 'message 1', 'message 2', 'message 3'], String(faults));
      // Without them it is in All Mail alone, as if it had been read.
      for (const labels of gmail.labels) t.same(labels, ['INBOX', 'UNREAD'], String(faults));
    }
  },
);

t.test(
  'Gmail: a token that may not import, and an API that is switched off, are told apart',
  async (t) => {
    for (const [fault, words] of [
      [
        'too-narrow',
        /answers 403: .*insufficient authentication.*: it wants .* scope gmail.insert/,
      ],
      [
        'switched-off',
        /answers 403: .*Enable it by visiting https:\S+12 .*must have the Gmail API/,
      ],
    ] as const) {
      const gmail = await startGmailStandIn(t);
      gmail.faults = [fault];
      const { server, run } = await setScene(t, mailed);
      const result = await run(gmail.where, ['--gmail-token-command', 'echo good']);
      t.equal(result.status, 100, result.stderr);
      t.match(result.stderr, words);
      t.equal(/scope/.test(result.stderr), fault === 'too-narrow', result.stderr);
      t.equal(server.messages.length, 4);
    }
    const gmail = await startGmailStandIn(t);
    const { run } = await setScene(t, mailed);
    const failing = await run(gmail.where, ['--gmail-token-command', 'exit 7']);
    t.equal(failing.status, 111, failing.stderr);
    t.match(failing.stderr, /error="--gmail-token-command failed \(exit status 7\)/);
  },
);

t.test(
  'Gmail: what is refused is named and stays; a token that is no good ends the run',
  async (t) => {
    const gmail = await startGmailStandIn(t);
    gmail.faults = ['refused'];
    const { server, run } = await setScene(t, mailed);
    const refused = await run(gmail.where, ['--gmail-token-command', 'echo good']);
    t.equal(refused.status, 1, refused.stderr);
    t.match(refused.stderr, /message-left reason="gmail answers 400: .*Invalid message.* number=1/);
    t.equal(server.messages.length, 1);
    const bad = await run(gmail.where, ['--gmail-token-command', 'echo bad']);
    t.equal(bad.status, 100, bad.stderr);
    t.match(bad.stderr, /gmail answers 401: .*Invalid Credentials.*: it wants an access token/);
    t.equal(server.messages.length, 1);
  },
);

for (const isAtOnce of [true, false]) {
  const when = isAtOnce ? 'at once' : 'at QUIT';
  t.test(
    `what a server deletes ${when} though it was not taken is handed over later`,
    async (t) => {
      const folder = t.testdir({ mail: {} });
      const [mail, state] = [join(folder, 'mail'), join(folder, 'state')];
      const server: FakeServer = await startFakeServer(t, {
        messages: three,
        capabilities: ['USER', 'UIDL', 'EXPIRE 0'],
        fault: (line, session, _socket, turn) => taking(line, session, turn),
      });
      const taking = takingRetrForDele(() => server, isAtOnce);
      const first = await runPop3get(t, server.port, state, ['--deliver', 'command:exit 75']);
      t.not(first.status, 0, first.stderr);
      for (let runs = 0; runs < 3 && storedIn(mail).length < 3; runs += 1) {
        await runPop3get(t, server.port, state, ['--deliver', `command:cat >${mail}/$POP3GET_ID`]);
      }
      t.same(storedIn(mail), sortedContents(three));
    },
  );
}
