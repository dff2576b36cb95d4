import t from 'tap';
import { GatheredNews } from '../../../src/worker/gathered-news.js';
import { tryWorkerMessage, type SessionsMessage } from '../../../src/worker/worker-protocol.js';

/** Collects messages until there are as many as the test wants. */
function gathering(wanted: number) {
  const messages: SessionsMessage[] = [];
  let resolveAll: (messages: readonly SessionsMessage[]) => void;
  const all = new Promise<readonly SessionsMessage[]>((resolve) => (resolveAll = resolve));
  const news = new GatheredNews((message) => {
    if (messages.push(message) === wanted) resolveAll(messages);
  });
  return { news, all };
}

t.test('what happens together is told together, each failure for itself', async (t) => {
  const { news, all } = gathering(1);
  news.tell(1, { what: 'failed-login', delayMs: 1999.5 });
  news.tell(2, { what: 'login' });
  news.tell(1, { what: 'failed-login', delayMs: 0 });
  news.tell(1, { what: 'login', user: 'ann@example.org' });
  news.end(2);
  t.same(await all, [
    {
      kind: 'sessions',
      loggedIn: [2, 1],
      users: [null, 'ann@example.org'],
      failedLogins: [1, 1],
      failureDelaysMs: [2000, 0],
      ended: [2],
    },
  ]);
});

t.test('nothing is told twice', async (t) => {
  const first = gathering(1);
  first.news.end(1);
  t.same((await first.all)[0]?.ended, [1]);
  const { news, all } = gathering(2);
  news.end(1);
  setTimeout(() => news.end(2), 20);
  t.same(
    (await all).map(({ ended }) => ended),
    [[1], [2]],
  );
});

t.test(
  'the launcher reads what a worker sent, and lists that are missing or wrong as empty',
  (t) => {
    t.same(tryWorkerMessage({ kind: 'sessions', ended: [1, '2', 3], loggedIn: 'x' }), {
      kind: 'sessions',
      loggedIn: [],
      users: [],
      failedLogins: [],
      failureDelaysMs: [],
      ended: [1, 3],
    });
    t.match(tryWorkerMessage({ kind: 'ready' }), { greeting: null, reportsLogins: false });
    t.equal(tryWorkerMessage({ kind: 'ended', ids: [1] }), null);
    t.end();
  },
);
