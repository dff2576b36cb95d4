import t from 'tap';
import { formatNews, tryNews, type ProgramNews } from '../../../src/worker/session-news.js';

t.test('what is told is heard, on one line, whatever the name', (t) => {
  for (const news of [
    { what: 'ready' },
    { what: 'login' },
    ...['ann@example.org', 'a b@x', 'ü%20@x', 'a\nready@x', '\u0000@x'].map((user) => ({
      what: 'login' as const,
      user,
    })),
    { what: 'failed-login', delayMs: 2000 },
  ] satisfies ProgramNews[]) {
    const line = formatNews(news);
    t.notMatch(line, /[\n\0]/);
    t.same(tryNews(line), news, line);
  }
  t.end();
});

t.test('a name that nobody can read is a login all the same; other words are nothing', (t) => {
  t.same(tryNews('login %zz'), { what: 'login' });
  t.equal(formatNews({ what: 'login', user: '\ud800' }), 'login %3F');
  for (const line of ['login ', 'login a b', 'logins', 'failed-login x', '']) {
    t.equal(tryNews(line), null, line);
  }
  t.end();
});
