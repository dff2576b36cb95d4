import t from 'tap';
import {
  FairTurns,
  NoTurnError,
  type TurnsOptions,
} from '../../../../src/auth/turns/fair-turns.js';

function turns(concurrency: number, maxWaiting = 512, more: Partial<TurnsOptions> = {}): FairTurns {
  return new FairTurns({ concurrency, maxWaiting, purpose: 'the test', ...more });
}

/** Work that ends when told. */
function controlledWork(): { run: () => Promise<string>; end: (text: string) => void } {
  let end: (text: string) => void = () => undefined;
  const done = new Promise<string>((resolve) => (end = resolve));
  return { run: () => done, end };
}

t.test('runs as many at a time as it may, the others in order', async (t) => {
  const queue = turns(2);
  const started: number[] = [];
  const works = [0, 1, 2, 3].map(() => controlledWork());
  const results = works.map((work, index) =>
    queue.run('', () => {
      started.push(index);
      return work.run();
    }),
  );
  t.same(started, [0, 1]);
  works[1]?.end('one');
  t.equal(await results[1], 'one');
  t.same(started, [0, 1, 2]);
  works[0]?.end('zero');
  await results[0];
  t.same(started, [0, 1, 2, 3]);
  works[2]?.end('two');
  works[3]?.end('three');
  t.same(await Promise.all(results), ['zero', 'one', 'two', 'three']);
  t.equal(await queue.run('', () => Promise.resolve('again')), 'again');
});

t.test('refuses further work when enough waits, and takes it again later', async (t) => {
  const queue = turns(1, 1);
  const work = controlledWork();
  const running = queue.run('', work.run);
  const waiting = queue.run('', () => Promise.resolve('waited'));
  await t.rejects(
    queue.run('', () => Promise.resolve('')),
    { constructor: NoTurnError, message: /too many logins/ },
  );
  work.end('done');
  t.same(await Promise.all([running, waiting]), ['done', 'waited']);
  t.equal(await queue.run('', () => Promise.resolve('later')), 'later');
});

t.test('work that fails frees its place', async (t) => {
  const queue = turns(1);
  await t.rejects(
    queue.run('', () => Promise.reject(new Error('broken'))),
    /broken/,
  );
  t.equal(await queue.run('', () => Promise.resolve('next')), 'next');
});

t.test('one network that asks for much delays only itself', async (t) => {
  const queue = turns(1, 4);
  const first = controlledWork();
  const order: string[] = [];
  const ask = (network: string): Promise<string> =>
    queue.run(network, () => Promise.resolve(network).finally(() => order.push(network)));
  const running = queue.run('guesser', first.run);
  const guesses = [1, 2, 3, 4].map(() => ask('guesser').catch((error: unknown) => error));
  const other = ask('other');
  t.match(await guesses[3], { constructor: NoTurnError }, 'made room for another network');
  first.end('');
  await Promise.all([running, other, ...guesses]);
  t.strictSame(order, ['guesser', 'other', 'guesser', 'guesser']);
});

t.test('a network never has more than its share, though nobody else wants the rest', async (t) => {
  const queue = turns(3, 4, { perNetwork: 2 });
  const works = [0, 1, 2].map(() => controlledWork());
  const started: number[] = [];
  const runs = works.map((work, index) =>
    queue.run('guesser', () => {
      started.push(index);
      return work.run();
    }),
  );
  t.same(started, [0, 1]);
  t.equal(await queue.run('other', () => Promise.resolve('at once')), 'at once');
  t.same(started, [0, 1]);
  works[0]?.end('');
  await runs[0];
  t.same(started, [0, 1, 2]);
  for (const work of works) work.end('');
  await Promise.all(runs);
});

t.test('who waits too long is refused, and those behind go on', async (t) => {
  const queue = turns(1, 4, { maxWaitMs: 20 });
  const first = controlledWork();
  const running = queue.run('a', first.run);
  await t.rejects(
    queue.run('b', () => Promise.resolve('')),
    { constructor: NoTurnError, message: 'no turn for the test within 0.02 s' },
  );
  const next = queue.run('b', () => Promise.resolve('served'));
  first.end('');
  await running;
  t.equal(await next, 'served');
});
