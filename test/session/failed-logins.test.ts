// A failed login is answered late, and tcpsrun is told of it; sessions that have not logged in can be asked to give way.

import { setImmediate as nextTurn } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { Verdict } from '../../src/auth/accounts/authenticator.js';
import { shutDownSessions } from '../../src/pop3-server/session/running-sessions.js';
import type { Starter } from '../../src/pop3-server/session/starter.js';
import { FailedLogins } from '../../src/worker/failed-logins.js';
import {
  address,
  conversation,
  password,
  type Conversation,
} from '../support/sessions/session-conversation.js';
import { unlimited } from '../../src/auth/accounts/grant.js';

/** Long enough to tell from no delay on a busy machine. */
const failureDelayMs = 300;

/** How long a login that fails takes. */
async function failingMs(c: Conversation, name = 'ann@example.org'): Promise<number> {
  await c.exchange(`USER ${name}`, '+OK');
  const startMs = performance.now();
  await c.exchange('PASS wrong', '-ERR [AUTH]');
  return performance.now() - startMs;
}

function isAbout(t: Test, ms: number, expectedMs: number): void {
  // Timers are a millisecond early at times, and on a busy machine much too late.
  t.ok(ms > expectedMs - 2 && ms < expectedMs + 10_000, `${ms} for ${expectedMs} ms`);
}

t.test('the first failed login waits, the next ones twice as long each', async (t) => {
  const c = await conversation(t, { limits: { failureDelayMs } });
  isAbout(t, await failingMs(c), failureDelayMs);
  isAbout(t, await failingMs(c), 2 * failureDelayMs);
});

t.test('the time that a verdict takes is part of the delay, and does not show', async (t) => {
  const late = 1500;
  const c = await conversation(t, {
    limits: { failureDelayMs: late },
    verdict: async (): Promise<Verdict> => {
      await new Promise((resolve) => setTimeout(resolve, late - 100));
      return { verdict: 'rejected', reason: 'wrong password' };
    },
  });
  const ms = await failingMs(c);
  t.ok(ms > late - 2 && ms < 2 * late - 200, `${ms} for ${late} ms`);
});

t.test('what the network failed before counts', async (t) => {
  const c = await conversation(t, {
    limits: { failureDelayMs: failureDelayMs / 2 },
    starter: { before: { count: 1, owedMs: 0 } },
  });
  isAbout(t, await failingMs(c), failureDelayMs);
});

/** As kept workers have it: sessions of one network count together. */
function network(): { readonly failures: FailedLogins; readonly starts: Partial<Starter> } {
  const failures = new FailedLogins(1);
  return {
    failures,
    starts: {
      recentFailures: () => failures.of('network'),
      failLogin: (delayMs, sinceMs) => failures.add('network', delayMs, sinceMs),
    },
  };
}

t.test('what others of the network failed since it began counts', async (t) => {
  const { failures, starts } = network();
  const c = await conversation(t, { limits: { failureDelayMs: failureDelayMs / 2 }, starts });
  for (let count = 0; count < 2; count += 1) failures.add('network', 0);
  isAbout(t, await failingMs(c), 2 * failureDelayMs);
});

t.test(
  'a right password waits for what its network owes, whoever did not wait for it',
  async (t) => {
    const { starts } = network();
    const limits = { failureDelayMs: 2 * failureDelayMs };
    const guesser = await conversation(t, { limits, starts });
    guesser.send('USER ann@example.org\r\nPASS wrong\r\n');
    await guesser.logged('failure');
    const startMs = performance.now();
    await guesser.reset();
    const c = await conversation(t, { limits, starts });
    await c.login();
    // What is left of the delay when the guesser has gone.
    isAbout(t, performance.now() - startMs, failureDelayMs);
  },
);

t.test('guesses on many connections at a time are answered one after another', async (t) => {
  const { starts } = network();
  const limits = { failureDelayMs };
  const guessers = await Promise.all(
    Array.from({ length: 3 }, () => conversation(t, { limits, starts })),
  );
  const startMs = performance.now();
  const answered = await Promise.all(
    guessers.map(async (c) => {
      await failingMs(c);
      return performance.now() - startMs;
    }),
  );
  for (const [at, ms] of answered.sort((a, b) => a - b).entries()) {
    isAbout(t, ms, (2 ** (at + 1) - 1) * failureDelayMs);
  }
});

t.test('a user who is asked to give way while waiting for others does not log in', async (t) => {
  const { failures, starts } = network();
  failures.add('network', 30_000);
  let evict: () => void = () => t.fail('nobody can ask the session');
  const onEvict = (how: () => void): void => void (evict = how);
  const c = await conversation(t, { starts: { ...starts, onEvict } });
  await c.exchange(`USER ${address}`, '+OK');
  c.send(`PASS ${password}\r\n`);
  await c.verified;
  // By then the session waits.
  await nextTurn();
  evict();
  await c.expect('being asked to give way', '-ERR [SYS/TEMP]');
  await c.over();
  t.notOk(c.log.some(({ event }) => event === 'login'));
});

t.test('a login that is right is not delayed once earlier failures are paid for', async (t) => {
  const c = await conversation(t, {
    limits: { failureDelayMs: 60_000 },
    starter: { before: { count: 10, owedMs: 0 } },
  });
  await c.login();
});

t.test('what shows that an account exists is delayed and told, as a wrong password', async (t) => {
  const told: string[] = [];
  const c = await conversation(t, {
    limits: { failureDelayMs },
    starter: { tell: ({ what }) => told.push(what) },
    verdict: () => ({
      ...{ verdict: 'unavailable', isLasting: true, isCounted: true },
      reason: 'password scheme MD5 is not supported',
    }),
  });
  await c.exchange('USER ann@example.org', '+OK');
  const startMs = performance.now();
  await c.exchange('PASS x', '-ERR [SYS/PERM]');
  isAbout(t, performance.now() - startMs, failureDelayMs);
  t.same(told, ['failed-login']);
  t.match(await c.logged('failure'), { code: 'SYS/PERM', reason: /MD5/ });
});

t.test('a login that nobody could decide is not delayed, and not told', async (t) => {
  const told: string[] = [];
  const c = await conversation(t, {
    limits: { failureDelayMs: 60_000 },
    starter: { tell: ({ what }) => told.push(what) },
    verdict: () => ({ verdict: 'unavailable', isLasting: false, reason: 'locked' }),
  });
  await c.exchange('USER ann@example.org', '+OK');
  await c.exchange('PASS x', '-ERR [SYS/TEMP]');
  t.same(told, []);
});

t.test('failed logins are told before they are answered, and so is the login', async (t) => {
  const told: string[] = [];
  const c = await conversation(t, { starter: { tell: ({ what }) => told.push(what) } });
  await failingMs(c);
  t.same(told, ['failed-login']);
  await c.login();
  t.same(told, ['failed-login', 'login']);
});

t.test('what came before a failed login is answered at once', async (t) => {
  const c = await conversation(t, { limits: { failureDelayMs: 60_000 } });
  c.send('CAPA\r\nUSER ann@example.org\r\nPASS wrong\r\n');
  await c.expect('CAPA', '+OK');
  await c.client.multiline();
  await c.expect('USER', '+OK');
  await c.reset();
});

t.test(
  'guesses that come in one go wait for one another, also when the peer closes its side',
  async (t) => {
    const c = await conversation(t, { limits: { failureDelayMs } });
    const startMs = performance.now();
    c.send('USER ann@example.org\r\nPASS x\r\nUSER ann@example.org\r\nPASS y\r\n');
    c.connection.end();
    await c.over();
    isAbout(t, performance.now() - startMs, 3 * failureDelayMs);
  },
);

t.test(
  'a peer that is gone is not waited for, and its other guesses are not looked at',
  async (t) => {
    let guesses = 0;
    const c = await conversation(t, {
      limits: { failureDelayMs: 60_000 },
      verdict: () => {
        guesses += 1;
        return { verdict: 'rejected', reason: 'wrong password' };
      },
    });
    c.send('USER ann@example.org\r\nPASS x\r\nUSER ann@example.org\r\nPASS y\r\n');
    await c.logged('failure');
    await c.reset();
    t.equal(guesses, 1);
    t.equal((await c.logged('logout'))['reason'], 'disconnect');
  },
);

t.test('the login deadline and a signal do not wait for the delay', async (t) => {
  const late = await conversation(t, { limits: { failureDelayMs: 60_000, loginTimeoutMs: 400 } });
  late.send('USER ann@example.org\r\nPASS wrong\r\n');
  await late.over();
  t.equal((await late.logged('logout'))['reason'], 'timeout');
  const c = await conversation(t, { limits: { failureDelayMs: 60_000 } });
  c.send('USER ann@example.org\r\nPASS wrong\r\n');
  await c.logged('failure');
  shutDownSessions();
  await c.over();
  t.equal((await c.logged('logout'))['reason'], 'signal');
});

t.test(
  'unknown, disabled and mistaken users get the same words, after the same time',
  async (t) => {
    for (const reason of ['unknown user', 'wrong password', 'disabled']) {
      const verdict: Verdict = { verdict: 'rejected', reason };
      const c = await conversation(t, { limits: { failureDelayMs }, verdict: () => verdict });
      await c.exchange('USER ann@example.org', '+OK');
      const startMs = performance.now();
      c.send('PASS x\r\n');
      t.equal(await c.client.status(), '-ERR [AUTH] Authentication failed');
      isAbout(t, performance.now() - startMs, failureDelayMs);
      t.match(await c.logged('failure'), { code: 'AUTH', user: 'ann@example.org', reason });
    }
  },
);

/** A conversation, and what asks its session to give way. */
async function evictable(
  t: Test,
  options: Parameters<typeof conversation>[1] = {},
): Promise<{ readonly c: Conversation; readonly evict: () => void }> {
  let evict: () => void = () => t.fail('nobody can ask the session');
  const starter = { onEvict: (how: () => void) => (evict = how) };
  const c = await conversation(t, { ...options, starter });
  return { c, evict: () => evict() };
}

t.test('a session that has not logged in gives way with a word', async (t) => {
  const { c, evict } = await evictable(t);
  await c.exchange('USER ann@example.org', '+OK');
  evict();
  await c.expect('being asked to give way', '-ERR [SYS/TEMP]');
  await c.over();
  t.equal((await c.logged('logout'))['reason'], 'signal');
});

t.test('it does so during the delay of a failed login', async (t) => {
  const { c, evict } = await evictable(t, { limits: { failureDelayMs: 60_000 } });
  c.send('USER ann@example.org\r\nPASS wrong\r\n');
  await c.logged('failure');
  evict();
  await c.over();
});

t.test('it does so when the client does not read', async (t) => {
  const { c, evict } = await evictable(t, { highWaterMark: 1024 });
  c.connection.pause();
  c.send('CAPA\r\n'.repeat(1000));
  // Until the session has more to say than the way holds.
  await new Promise((resolve) => c.connection.once('readable', resolve));
  evict();
  await c.over();
});

t.test('it does so while a password is verified, which then logs nobody in', async (t) => {
  const { c, evict } = await evictable(t, {
    verdict: async () => {
      evict();
      await c.connectionClosed;
      return {
        verdict: 'accepted',
        identity: { user: 'ann', domain: 'example.org' },
        grant: unlimited,
      };
    },
  });
  c.send(`USER ann@example.org\r\nPASS ${password}\r\nDELE 1\r\nQUIT\r\n`);
  await c.over();
  t.equal((await c.logged('logout'))['reason'], 'signal');
});

t.test('a session that has logged in does not give way', async (t) => {
  const { c, evict } = await evictable(t, { messages: ['x\n'] });
  await c.login();
  evict();
  await c.exchange('STAT', '+OK 1 5');
  await c.quit();
});
