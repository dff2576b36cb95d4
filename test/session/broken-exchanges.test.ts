// A SASL exchange whose client goes away after each octet of it: the session ends, once and quietly, and nobody is logged in
// by less than everything. RFC 5034 §4.

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openAccounts } from '../../src/auth/open-accounts.js';
import { scramClient } from '../../src/auth/mechanisms/sasl-client.js';
import type { Authenticator } from '../../src/auth/accounts/authenticator.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import {
  address,
  conversation,
  password,
  type Conversation,
} from '../support/sessions/session-conversation.js';

const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');

/** What the client says next, given the challenge before it; without line end. */
type Step = (challenge: Buffer) => string | Promise<string>;

const exchanges: Readonly<Record<string, () => readonly Step[]>> = {
  'PLAIN with initial response': () => [() => `AUTH PLAIN ${base64(`\0${address}\0${password}`)}`],
  PLAIN: () => [() => 'AUTH PLAIN', () => base64(`\0${address}\0${password}`)],
  LOGIN: () => [() => 'AUTH LOGIN', () => base64(address), () => base64(password)],
  'SCRAM-SHA-256': () => {
    const binding = { kind: 'none' } as const;
    const client = scramClient({ username: address, password: Buffer.from(password), binding });
    return [
      () => 'AUTH SCRAM-SHA-256',
      async () => base64(await client.initialResponse()),
      async (challenge) => base64(await client.respond(challenge)),
      async (challenge) => base64(await client.respond(challenge)),
    ];
  },
};

function openDatabase(t: Test): Authenticator {
  const file = join(t.testdir({}), 'passdb.sqlite');
  makePasswordDatabase(file, { [address]: password });
  const database = openAccounts({ file });
  t.teardown(() => database.close());
  return database;
}

/** Says the first `octets` octets of an exchange. @returns how many the whole of it has, if it came to its end */
async function say(
  c: Conversation,
  steps: readonly Step[],
  octets: number,
): Promise<number | null> {
  let said = 0;
  let challenge = Buffer.alloc(0);
  for (const step of steps) {
    const line = `${await step(challenge)}\r\n`;
    c.send(line.slice(0, octets - said));
    said += line.length;
    if (said >= octets) return null;
    const answer = await c.client.line();
    challenge = Buffer.from(answer.slice(2), 'base64');
  }
  return said;
}

for (const [name, makeSteps] of Object.entries(exchanges)) {
  t.test(`${name}, broken off after each octet`, async (t) => {
    const authenticator = openDatabase(t);
    const whole = await conversation(t, { authenticator });
    const total = (await say(whole, makeSteps(), Infinity)) ?? 0;
    t.ok(total > 40);
    t.match(await whole.logged('login'), { user: address });
    await whole.hangUp();
    const before = process.getActiveResourcesInfo().length;
    const odd: unknown[] = [];
    for (let octets = 0; octets < total; octets += 1) {
      for (const way of ['hangUp', 'reset'] as const) {
        const c = await conversation(t, { authenticator });
        await say(c, makeSteps(), octets);
        await c[way]();
        const events = c.log.map(({ event }) => event);
        // Once a user was named and the server has answered, it is a guess that counts.
        const isQuiet = ['connect,logout', 'connect,failure,logout'].includes(events.join());
        if (!isQuiet || c.log.at(-1)?.fields['reason'] !== 'disconnect')
          odd.push({ octets, way, log: c.log });
      }
    }
    t.strictSame(odd, [], 'a line when it comes, a line when it goes, at most one between');
    t.ok(process.getActiveResourcesInfo().length <= before, 'no timer or handle stays behind');
    const after = await conversation(t, { authenticator });
    await say(after, makeSteps(), Infinity);
    t.match(await after.logged('login'), { user: address }, 'the next one logs in');
  });
}

t.test('an exchange that is broken off once it has named a user is a failed login', async (t) => {
  const authenticator = openDatabase(t);
  const [start, first] = exchanges['SCRAM-SHA-256']?.() ?? [];
  const message = String(await first?.(Buffer.alloc(0)));
  for (const [why, answer] of [
    ['cancelled', '*'],
    ['not base64', '!'],
    ['too long', 'x'.repeat(13_000)],
  ] as const) {
    const told: string[] = [];
    const c = await conversation(t, {
      authenticator,
      starter: { tell: ({ what }) => told.push(what) },
      limits: { maxFailedLogins: 2 },
    });
    for (let count = 0; count < 2; count += 1) {
      for (const line of [String(await start?.(Buffer.alloc(0))), message]) {
        c.send(`${line}\r\n`);
        t.match(await c.client.line(), /^\+ /);
      }
      c.send(`${answer}\r\n`);
      t.match(await c.client.line(), /^-ERR /, why);
    }
    await c.expectClosed('the second exchange');
    t.strictSame(told, ['failed-login', 'failed-login'], why);
    t.match(await c.logged('failure'), { code: 'AUTH', user: address, mechanism: 'SCRAM-SHA-256' });
  }
  const c = await conversation(t, { authenticator });
  c.send('AUTH PLAIN\r\n');
  await c.client.line();
  await c.exchange('*', '-ERR Authentication cancelled');
  t.notOk(
    c.log.some(({ event }) => event === 'failure'),
    'before that it is none',
  );
});
