// The pool over hosts that the test lets answer, hang and fail.

import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { ServerPool, type PoolLimits } from '../../../../src/auth/sql-servers/server-pool.js';
import type { ServerHost } from '../../../../src/auth/sql-servers/server-address.js';
import {
  SqlFailure,
  type SqlConnection,
  type SqlDriver,
} from '../../../../src/auth/sql-servers/sql-driver.js';

type Mood = 'answers' | 'is slow' | 'hangs' | 'refuses' | 'says no';

const passing = { isOfHost: true, isLasting: false };

class Hosts implements SqlDriver {
  readonly hosts: readonly ServerHost[];
  readonly moods = new Map<string, Mood>();
  /** Names of hosts that were connected to, in order. */
  readonly connected: string[] = [];
  openCount = 0;

  constructor(...names: readonly string[]) {
    this.hosts = names.map((host) => ({ host, port: 1 }));
  }

  mood(host: string): Mood {
    return this.moods.get(host) ?? 'answers';
  }

  connect(host: ServerHost): Promise<SqlConnection> {
    this.connected.push(host.host);
    if (this.mood(host.host) === 'refuses') return Promise.reject(new SqlFailure('no', passing));
    this.openCount += 1;
    return Promise.resolve(new Connected(this, host));
  }

  /** What the test's queries are. */
  async ask(host: string): Promise<string> {
    switch (this.mood(host)) {
      case 'answers':
        return host;
      case 'is slow':
        return delay(20, host);
      case 'hangs':
        return new Promise(() => undefined);
      case 'refuses':
        throw new SqlFailure('lost', passing);
      case 'says no':
        throw new SqlFailure('syntax', { isOfHost: false, isLasting: true });
    }
  }

  sample(): Promise<readonly unknown[]> {
    return Promise.resolve([]);
  }

  hasTable(): Promise<boolean> {
    return Promise.resolve(false);
  }
}

class Connected implements SqlConnection {
  readonly host: ServerHost;
  readonly #hosts: Hosts;
  isUsable = true;

  constructor(hosts: Hosts, host: ServerHost) {
    this.#hosts = hosts;
    this.host = host;
  }

  query(): Promise<never> {
    return Promise.reject(new Error('not asked'));
  }

  command(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.#hosts.openCount -= this.isUsable ? 1 : 0;
    this.isUsable = false;
  }

  destroy(): void {
    this.close();
  }
}

function pool(hosts: Hosts, limits: Partial<PoolLimits> = {}): () => Promise<string> {
  const made = new ServerPool({ scheme: 'postgresql', hosts: hosts.hosts }, hosts, {
    ...{ queryMs: 50, totalMs: 500, pauseMs: 10_000 },
    ...limits,
  });
  t.teardown(() => {
    made.close();
  });
  return () => made.run('', ({ host }) => hosts.ask(host.host));
}

t.test('at most 2 connections, kept from one query to the next', async (t) => {
  const hosts = new Hosts('a');
  const ask = pool(hosts);
  const answers = await Promise.all(Array.from({ length: 50 }, ask));
  t.ok(answers.every((answer) => answer === 'a'));
  t.equal(await ask(), 'a');
  t.equal(hosts.connected.length, 2);
});

t.test('a host that hangs is passed over, for this query and the next ones', async (t) => {
  const hosts = new Hosts('a', 'b');
  hosts.moods.set('a', 'hangs');
  const ask = pool(hosts);
  t.equal(await ask(), 'b');
  t.equal(await ask(), 'b');
  t.same(hosts.connected, ['a', 'b', 'b'].slice(0, hosts.connected.length));
});

t.test(
  'a host that is slow while others wait is passed over, but for one that is no better',
  async (t) => {
    const hosts = new Hosts('a', 'b');
    hosts.moods.set('a', 'is slow');
    const ask = pool(hosts, { slowMs: 10, queryMs: 5000, totalMs: 10_000 });
    const askTimes = (times: number) => Promise.all(Array.from({ length: times }, ask));
    t.same(await askTimes(2), ['a', 'a'], 'nobody waits');
    t.same(await askTimes(5), ['a', 'a', 'b', 'b', 'b'], 'the others go elsewhere');
    t.same(
      await askTimes(5),
      Array.from({ length: 5 }, () => 'b'),
    );
    hosts.moods.set('b', 'is slow');
    t.same(
      await askTimes(5),
      Array.from({ length: 5 }, () => 'b'),
      'they stay where they are',
    );
  },
);

t.test('connections return to the first host once it may be tried again', async (t) => {
  const hosts = new Hosts('a', 'b');
  hosts.moods.set('a', 'refuses');
  const ask = pool(hosts, { avoidMs: 0 });
  t.equal(await ask(), 'b');
  hosts.moods.delete('a');
  t.equal(await ask(), 'a');
});

t.test('while no host answers, calls fail at once, and nothing is connected to', async (t) => {
  const hosts = new Hosts('a', 'b');
  hosts.moods.set('a', 'refuses').set('b', 'refuses');
  const ask = pool(hosts);
  await t.rejects(ask(), { isLasting: false, message: 'a:1: no; b:1: no' });
  const before = hosts.connected.length;
  const all = await Promise.allSettled(Array.from({ length: 50 }, ask));
  t.ok(all.every(({ status }) => status === 'rejected'));
  t.equal(hosts.connected.length, before);
});

t.test('what waits is bounded in number and in time', async (t) => {
  const hosts = new Hosts('a');
  hosts.moods.set('a', 'hangs');
  const ask = pool(hosts, { maxWaiting: 3, totalMs: 100, queryMs: 90 });
  const all = await Promise.allSettled(Array.from({ length: 20 }, ask));
  t.ok(all.every(({ status }) => status === 'rejected'));
  t.equal(hosts.openCount, 0, 'no connection is left');
});

t.test('a query that is wrong is no fault of the host', async (t) => {
  const hosts = new Hosts('a', 'b');
  hosts.moods.set('a', 'says no');
  const ask = pool(hosts);
  await t.rejects(ask(), { isLasting: true, message: 'syntax' });
  t.same(hosts.connected, ['a']);
});
