// pop3get killed at random instants while it hands mail over to a stand-in of Gmail that fails as its documentation says.

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startGmailStandIn, type ImportFault } from '../support/peers/gmail-stand-in.js';
import { startFakeServer, type FakeMessage } from '../support/programs/pop3get-fixture.js';
import { startProgram, type RunningProgram } from '../support/programs/run-program.js';
import { seededRandom } from '../torture/random.js';

const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() & 0xffffff);
const kills = Number(process.env['POP3GET_KILLS'] ?? 5);
const messageCount = 25;
t.setTimeout(120_000 + kills * 30_000);

/** What an import may meet; most meet nothing, and slow ones are killed before their answer. */
const faults: readonly ImportFault[] = [
  ...(['too-many', 'error', 'late-error', 'lost', 'unauthorized'] as const),
  ...(['slow', 'slow'] as const),
];

/** Every fifth has no Message-ID, and every seventh that of another one. */
const messages: readonly FakeMessage[] = Array.from({ length: messageCount }, (_, index) => {
  const id = index % 7 === 6 ? index - 1 : index;
  const field = index % 5 === 4 ? '' : `Message-ID: <${id}@example.org>\r\n`;
  const content = `${field}Subject: message ${index}\r\n\r\nThis is ${index}.\r\n`;
  return { uniqueId: `id-${index}`, content: Buffer.from(content) };
});

async function killAndFinish(t: Test, random: (limit: number) => number): Promise<void> {
  const server = await startFakeServer(t, { messages });
  const gmail = await startGmailStandIn(t);
  gmail.drawFault = () => (random(3) === 0 ? faults[random(faults.length)] : undefined);
  const state = join(t.testdir(), 'state');
  const run = (): RunningProgram => {
    const args = ['--port', String(server.port), '--directory', state, '--deliver', gmail.where];
    const words = [...args, '--gmail-token-command', 'echo good', '127.0.0.1', 'ann'];
    return startProgram(t, 'pop3get', words, { env: { POP3GET_PASSWORD: 'secret' } });
  };
  // Not a time after the start: what a machine does with that is mostly starting.
  const [lastImport, afterMs] = [random(messageCount + 5), random(20)];
  const victim = run();
  gmail.onImport = () => {
    if (gmail.imports >= lastImport) setTimeout(() => victim.kill('SIGKILL'), afterMs);
  };
  await victim.finish('', 60_000);
  gmail.onImport = () => undefined;
  const when = `killed ${afterMs} ms after import ${lastImport}`;
  const stderr = [victim.stderr];
  for (let runs = 0; runs < 20 && server.messages.length > 0; runs += 1) {
    stderr.push((await run().finish('', 60_000)).stderr);
  }
  t.equal(server.messages.length, 0, `${when}: the mailbox is empty\n${stderr.join('')}`);
  const expected = messages.map((_, index) => `message ${index}`).sort();
  const present = gmail.messages.map((text) => /^Subject: (.*?)\r?$/m.exec(text)?.[1]).sort();
  t.same(present, expected, `${when}: each message is there once\n${stderr.join('')}`);
}

t.test(`pop3get killed while it imports into Gmail (seed ${seed})`, async (t) => {
  const random = seededRandom(seed);
  for (let count = 1; count <= kills; count += 1) {
    await t.test(`instant ${count}`, (t) => killAndFinish(t, random));
  }
});
