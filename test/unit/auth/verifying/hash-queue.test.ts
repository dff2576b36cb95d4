import t from 'tap';
import {
  HashQueue,
  hashConcurrency,
  HashQueueFullError,
} from '../../../../src/auth/verifying/hash-queue.js';

/** Work that ends when told. */
function controlledWork(): { run: () => Promise<string>; end: (text: string) => void } {
  let end: (text: string) => void = () => undefined;
  const done = new Promise<string>((resolve) => (end = resolve));
  return { run: () => done, end };
}

t.test('runs as many at a time as it may, the others in order', async (t) => {
  const queue = new HashQueue(2);
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
  const queue = new HashQueue(1, 1);
  const work = controlledWork();
  const running = queue.run('', work.run);
  const waiting = queue.run('', () => Promise.resolve('waited'));
  await t.rejects(
    queue.run('', () => Promise.resolve('')),
    { constructor: HashQueueFullError, message: /too many logins/ },
  );
  work.end('done');
  t.same(await Promise.all([running, waiting]), ['done', 'waited']);
  t.equal(await queue.run('', () => Promise.resolve('later')), 'later');
});

t.test('work that fails frees its place', async (t) => {
  const queue = new HashQueue(1);
  await t.rejects(
    queue.run('', () => Promise.reject(new Error('broken'))),
    /broken/,
  );
  t.equal(await queue.run('', () => Promise.resolve('next')), 'next');
});

t.test('concurrency leaves two of the threads that files are read with', (t) => {
  t.equal(hashConcurrency({ UV_THREADPOOL_SIZE: '3' }), 1);
  t.equal(hashConcurrency({ UV_THREADPOOL_SIZE: '1' }), 1);
  t.equal(hashConcurrency({ UV_THREADPOOL_SIZE: 'x' }), hashConcurrency({}));
  t.ok(hashConcurrency({}) <= 2);
  t.end();
});

t.test('one network that asks for much delays only itself', async (t) => {
  const queue = new HashQueue(1, 4);
  const first = controlledWork();
  const order: string[] = [];
  const ask = (network: string): Promise<string> =>
    queue.run(network, () => Promise.resolve(network).finally(() => order.push(network)));
  const running = queue.run('guesser', first.run);
  const guesses = [1, 2, 3, 4].map(() => ask('guesser').catch((error: unknown) => error));
  const other = ask('other');
  t.match(await guesses[3], { constructor: HashQueueFullError }, 'made room for another network');
  first.end('');
  await Promise.all([running, other, ...guesses]);
  t.strictSame(order, ['guesser', 'other', 'guesser', 'guesser']);
});
