// Every command in every state, and whatever else a peer may send in them: one reply each, and no crash.

import fc from 'fast-check';
import t, { type Test } from 'tap';
import { commands } from '../../src/pop3-server/commands/command-table.js';
import { fixedDraws } from '../support/mail/arbitrary-message.js';
import { conversation, type Conversation } from '../support/sessions/session-conversation.js';

/** More than any test sends: what is tested is not the limit. */
const limits = { maxBadCommandsBeforeLogin: 1e6, maxBadCommandsAfterLogin: 1e6 };
const messages = ['Subject: one\n\n.\n', 'Subject: two\n\nbody\n'];

/** A state, how to get into it, and a command that shows that the session is still in it. */
const states = [
  {
    name: 'AUTHORIZATION',
    state: 'AUTHORIZATION',
    enter: () => Promise.resolve(),
    probe: ['USER x@example.org', '+OK'],
  },
  {
    name: 'AUTHORIZATION after USER',
    state: 'AUTHORIZATION',
    enter: (c: Conversation) => c.exchange('USER ann@example.org', '+OK'),
    probe: ['USER x@example.org', '+OK'],
  },
  {
    name: 'TRANSACTION',
    state: 'TRANSACTION',
    enter: (c: Conversation) => c.login(),
    probe: ['NOOP', '+OK'],
  },
  {
    name: 'TRANSACTION with a message marked',
    state: 'TRANSACTION',
    enter: async (c: Conversation) => {
      await c.login();
      await c.exchange('DELE 1', '+OK');
    },
    probe: ['NOOP', '+OK'],
  },
] as const;

async function conversationIn(t: Test, state: (typeof states)[number]): Promise<Conversation> {
  const c = await conversation(t, { messages, limits });
  await state.enter(c);
  return c;
}

/** Reads one reply, whole, and makes sure that no more than one came. @returns its status line */
async function oneReplyTo(c: Conversation, line: string, probe: string): Promise<string> {
  c.send(`${line}\r\n`);
  // A multi-line reply cannot be told from its status line by looking; these are the only ones.
  const keyword = /^[a-z]+/i.exec(line)?.[0].toUpperCase() ?? '';
  const hasArgument = line.trim().includes(' ');
  const status = await c.client.statusOrChallenge();
  const isMultiline =
    status.startsWith('+OK') &&
    (['RETR', 'TOP', 'CAPA'].includes(keyword) ||
      (['LIST', 'UIDL', 'AUTH', 'LANG'].includes(keyword) && !hasArgument));
  if (isMultiline) await c.client.multiline();
  if (status.startsWith('+ ')) await c.client.command('*');
  c.send(`${probe}\r\n`);
  await c.client.status();
  return status;
}

const argumentsToTry = ['', ' ', ' 1', ' 2 1', ' 1 2 3', ' x', ' 0', ' 99', ' ann@example.org'];

for (const state of states) {
  t.test(`every command in ${state.name} gets one reply`, async (t) => {
    const [probe, reply] = state.probe;
    for (const keyword of [...commands.keys(), 'XYZZY']) {
      const c = await conversationIn(t, state);
      for (const argument of argumentsToTry) {
        const line = `${keyword}${argument}`;
        if (keyword === 'QUIT' && argument.trim() === '') continue;
        const status = await oneReplyTo(c, line, probe);
        if (commands.get(keyword)?.[state.state] === undefined)
          t.match(status, /^-ERR/, `${line} is refused`);
      }
      await c.exchange(probe, reply);
    }
  });

  t.test(`QUIT in ${state.name} gets one reply and the end`, async (t) => {
    const c = await conversationIn(t, state);
    await c.quit('+OK');
  });

  t.test(`random lines in ${state.name} get one reply each`, async (t) => {
    const [probe, reply] = state.probe;
    const lines = fc.array(randomLine(), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(lines, async (drawn) => {
        const c = await conversationIn(t, state);
        for (const line of drawn) await oneReplyTo(c, line, probe);
        await c.exchange(probe, reply);
        const errors = c.log.filter(({ event }) => event === 'error');
        t.strictSame(errors, [], 'nothing went wrong inside');
        await c.hangUp();
      }),
      { ...fixedDraws, numRuns: 150 },
    );
  });
}

/** Keywords with odd arguments, and noise; no line ends, and nothing that ends the session or leaves its state. */
function randomLine(): fc.Arbitrary<string> {
  const octet = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
  const noise = fc.string({ unit: octet, maxLength: 80 });
  const word = fc.constantFrom('1', '2', '3', '0', '-1', '01', '1e1', ' ', '', '%', '=', '*');
  const keyword = fc.constantFrom(...commands.keys(), 'A:B', '', ' ');
  const command = fc
    .tuple(keyword, fc.array(fc.oneof(word, noise), { maxLength: 3 }))
    .map((words) => words.flat().join(' '));
  return fc
    .oneof({ weight: 3, arbitrary: command }, { weight: 1, arbitrary: noise })
    .map((line) => line.replace(/[\r\n]/g, ''))
    .filter((line) => !/^(?:quit *|pass open sesame)$/i.test(line));
}
