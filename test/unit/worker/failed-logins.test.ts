import t from 'tap';
import { FailedLogins } from '../../../src/worker/failed-logins.js';

const minuteMs = 60_000;

function counting(maxSources = 100) {
  const clock = { ms: 0 };
  return { clock, failed: new FailedLogins(maxSources, () => clock.ms) };
}

function fail(failed: FailedLogins, source: string, times: number): void {
  for (let count = 0; count < times; count += 1) failed.add(source);
}

t.test('each source is counted on its own', (t) => {
  const { failed } = counting();
  fail(failed, '192.0.2.1', 3);
  fail(failed, '2001:db8::', 1);
  t.same(
    ['192.0.2.1', '2001:db8::', '192.0.2.2'].map((source) => failed.countOf(source)),
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
      return failed.countOf('a');
    });
    t.same(counts, [3, 2, 2, 1, 0, 0]);
    t.equal(failed.sourceCount, 0);
    t.end();
  },
);

t.test('a failure after some time adds to what is left', (t) => {
  const { clock, failed } = counting();
  fail(failed, 'a', 5);
  clock.ms = 2 * minuteMs;
  failed.add('a');
  t.equal(failed.countOf('a'), 4);
  t.end();
});

t.test('ten minutes after the last of any number of failures all are forgotten', (t) => {
  const { clock, failed } = counting();
  fail(failed, 'a', 1000);
  t.equal(failed.countOf('a'), 10);
  clock.ms = 10 * minuteMs;
  t.equal(failed.countOf('a'), 0);
  t.end();
});

t.test('only so many sources are remembered, those that failed last', (t) => {
  const { failed } = counting(3);
  for (const source of ['a', 'b', 'c', 'a', 'd']) failed.add(source);
  t.equal(failed.sourceCount, 3);
  t.same(
    ['a', 'b', 'c', 'd'].map((source) => failed.countOf(source)),
    [2, 0, 1, 1],
  );
  t.end();
});
