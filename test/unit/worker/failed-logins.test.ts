import t from 'tap';
import { FailedLogins, failuresNamedIn } from '../../../src/worker/failed-logins.js';

const minuteMs = 60_000;

function counting(maxSources = 100) {
  const clock = { ms: 0 };
  return { clock, failed: new FailedLogins(maxSources, () => clock.ms) };
}

function fail(failed: FailedLogins, source: string, times: number): void {
  for (let count = 0; count < times; count += 1) failed.add(source, 0);
}

t.test('each source is counted on its own', (t) => {
  const { failed } = counting();
  fail(failed, '192.0.2.1', 3);
  fail(failed, '2001:db8::', 1);
  t.same(
    ['192.0.2.1', '2001:db8::', '192.0.2.2'].map((source) => failed.of(source).count),
    [3, 1, 0],
  );
  t.end();
});

t.test(
  'each minute without another failure takes one off, and what is forgotten is not kept',
  (t) => {
    const { clock, failed } = counting();
    fail(failed, 'a', 3);
    const counts = [0.99, 1, 1.99, 2, 3, 100].map((minutes) => {
      clock.ms = minutes * minuteMs;
      return failed.of('a').count;
    });
    t.same(counts, [3, 2, 2, 1, 0, 0]);
    t.equal(failed.networkCount, 0);
    t.end();
  },
);

t.test('a failure after some time adds to what is left', (t) => {
  const { clock, failed } = counting();
  fail(failed, 'a', 5);
  clock.ms = 2 * minuteMs;
  failed.add('a', 0);
  t.equal(failed.of('a').count, 4);
  t.end();
});

t.test('ten minutes after the last of any number of failures all are forgotten', (t) => {
  const { clock, failed } = counting();
  fail(failed, 'a', 1000);
  t.equal(failed.of('a').count, 10);
  clock.ms = 10 * minuteMs;
  t.equal(failed.of('a').count, 0);
  t.end();
});

t.test('only so many sources are remembered, those that failed last', (t) => {
  const { failed } = counting(3);
  for (const source of ['a', 'b', 'c', 'a', 'd']) failed.add(source, 0);
  t.equal(failed.networkCount, 3);
  t.same(
    ['a', 'b', 'c', 'd'].map((source) => failed.of(source).count),
    [2, 0, 1, 1],
  );
  t.end();
});

t.test('delays add up, from when each login was begun, to half a minute at most', (t) => {
  const { clock, failed } = counting();
  clock.ms = 1000;
  failed.add('a', 2000, 900);
  t.equal(failed.of('a').owedMs, 1900);
  failed.add('a', 4000, 950);
  t.equal(failed.of('a').owedMs, 5900);
  clock.ms = 10_000;
  t.equal(failed.of('a').owedMs, 0);
  failed.add('a', 8000);
  t.equal(failed.of('a').owedMs, 8000);
  for (let count = 0; count < 100; count += 1) failed.add('a', 16_000);
  t.same(failed.of('a'), { count: 10, owedMs: 30_000 });
  t.same(failed.of('b'), { count: 0, owedMs: 0 });
  t.end();
});

t.test('what somebody else counted holds where it is more', (t) => {
  const { failed } = counting();
  failed.add('a', 5000);
  failed.learn('a', { count: 3, owedMs: 2000 });
  t.same(failed.of('a'), { count: 3, owedMs: 5000 });
  failed.learn('a', { count: 1, owedMs: 999_999 });
  t.same(failed.of('a'), { count: 3, owedMs: 30_000 });
  failed.learn('b', { count: 0, owedMs: 0 });
  t.equal(failed.networkCount, 1);
  t.end();
});

t.test('FAILED_LOGINS and LOGIN_DELAY_MS are whole numbers, or nothing is known', (t) => {
  for (const [text, count] of [
    ['0', 0],
    ['7', 7],
    ['', 0],
    ['-1', 0],
    ['1e3', 0],
    ['many', 0],
    ['99999999999', 0],
  ] as const) {
    const expected = { count, owedMs: count };
    t.same(failuresNamedIn({ FAILED_LOGINS: text, LOGIN_DELAY_MS: text }), expected, `"${text}"`);
  }
  t.same(failuresNamedIn({}), { count: 0, owedMs: 0 });
  t.end();
});
