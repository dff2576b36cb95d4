// pop3get into Dovecot's LMTP, with a Sieve script that discards what it has seen before.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  duplicateScript,
  recipient,
  startLmtpDovecot,
  unlessLmtpDovecot,
  type LmtpDovecot,
} from '../support/peers/dovecot-lmtp.js';
import {
  numberedMessages,
  runPop3get,
  sortedContents,
  startFakeServer,
} from '../support/programs/pop3get-fixture.js';
import { startProgram } from '../support/programs/run-program.js';
import { seededRandom } from '../torture/random.js';

const skip = unlessLmtpDovecot();
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() & 0xffffff);
const kills = Number(process.env['POP3GET_KILLS'] ?? 3);
t.setTimeout(900_000 + kills * 60_000);

/** What Dovecot has, without the fields that came before the message. */
function bodies(dovecot: LmtpDovecot): readonly string[] {
  return dovecot
    .delivered()
    .map((text) => text.slice(text.indexOf('Subject: message')))
    .sort();
}

t.test(
  'mail goes to an LMTP port or socket with a field of its own, and none stays here',
  { skip },
  async (t) => {
    const dovecot = await startLmtpDovecot(t, duplicateScript);
    const messages = numberedMessages(20);
    for (const where of [`lmtp:127.0.0.1:${dovecot.port}`, `lmtp:${dovecot.socket}`]) {
      const server = await startFakeServer(t, { messages });
      const state = t.testdir();
      const args = ['--deliver', where, '--recipient', recipient];
      const result = await runPop3get(t, server.port, state, args);
      t.equal(result.status, 0, `${result.stderr}${await dovecot.log()}`);
      t.equal(server.messages.length, 0);
      t.same(readdirSync(join(state, 'tmp')), []);
      t.same(readdirSync(join(state, 'new')), []);
    }
    // The second time each is a duplicate of the same account's.
    t.same(bodies(dovecot), sortedContents(messages));
    const [one = ''] = dovecot.delivered();
    t.match(one, /^X-Pop3get-Id: [0-9a-f]{32}\r\nReceived: from /m);
  },
);

t.test(
  'a recipient that is refused leaves the mail on the server, and is named',
  { skip },
  async (t) => {
    const dovecot = await startLmtpDovecot(t, null);
    const server = await startFakeServer(t, { messages: numberedMessages(2) });
    const state = t.testdir();
    const where = ['--deliver', `lmtp:127.0.0.1:${dovecot.port}`, '--recipient', 'nobody@'];
    const result = await runPop3get(t, server.port, state, where);
    t.equal(result.status, 1, result.stderr);
    t.match(
      result.stderr,
      /message-left reason=".*refuses the recipient nobody@.*" account=ann@127.0.0.1 number=1 uid=id-1/,
    );
    t.equal(server.messages.length, 2);
    t.equal(readdirSync(join(state, 'tmp')).length, 2, 'until the next listing shows them');
  },
);

async function killAndFinish(
  t: Test,
  dovecot: LmtpDovecot,
  random: (limit: number) => number,
  count: number,
): Promise<void> {
  const messages = numberedMessages(40);
  // Not a time after the start: what a machine does with that is mostly starting.
  const afterMs = random(700);
  const isClient = count % 2 === 0;
  let timer: NodeJS.Timeout | undefined;
  const server = await startFakeServer(t, {
    messages,
    fault: (line) => {
      if (line.startsWith('RETR')) timer ??= setTimeout(kill, afterMs);
      return undefined;
    },
  });
  const state = t.testdir();
  const env = { POP3GET_PASSWORD: 'secret' };
  const args = ['--port', String(server.port), '--directory', state, '--quiet'];
  const where = [
    ...['--deliver', `lmtp:127.0.0.1:${dovecot.port}`, '--recipient', recipient],
    // What Dovecot has seen at other instants is of other accounts.
    ...['--account', `instant ${count}`],
  ];
  const victim = startProgram(t, 'pop3get', [...args, ...where, '127.0.0.1', 'ann'], { env });
  const kill = (): void => {
    if (isClient) victim.kill('SIGKILL');
    else dovecot.killDeliveries();
  };
  await victim.ending;
  clearTimeout(timer);
  const stderr = [victim.stderr];
  for (let runs = 0; runs < 5 && server.messages.length > 0; runs += 1) {
    const again = startProgram(t, 'pop3get', [...args, ...where, '127.0.0.1', 'ann'], { env });
    // A delivery that was killed leaves a lock on its id, which Dovecot breaks after half a minute.
    stderr.push((await again.finish('', 120_000)).stderr);
  }
  const when = `${isClient ? 'pop3get' : 'lmtp'} killed after ${afterMs} ms`;
  t.equal(server.messages.length, 0, `${when}: the mailbox is empty\n${stderr.join('')}`);
  const present = bodies(dovecot);
  t.same([...new Set(present)], sortedContents(messages), `${when}: every message is there`);
  // Dovecot notes what it has seen some milliseconds after the message is in new: killed between,
  // it knows nothing of the message that it has.
  t.ok(present.length <= messages.length + (isClient ? 0 : 1), `${when}: and there once`);
  t.same(readdirSync(join(state, 'tmp')), [], when);
  dovecot.clear();
}

t.test(
  `pop3get and the LMTP server killed at random instants (seed ${seed})`,
  { skip },
  async (t) => {
    const random = seededRandom(seed);
    const dovecot = await startLmtpDovecot(t, duplicateScript);
    for (let count = 0; count < kills; count += 1) {
      await t.test(`instant ${count + 1}`, (t) => killAndFinish(t, dovecot, random, count));
    }
  },
);
