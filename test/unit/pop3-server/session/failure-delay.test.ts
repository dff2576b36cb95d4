import t from 'tap';
import { failureDelayMs } from '../../../../src/pop3-server/session/failure-delay.js';

t.test('each failure waits twice as long as the one before, up to eight times the first', (t) => {
  t.same(
    [1, 2, 3, 4, 5, 1_000_000].map((failures) => failureDelayMs(2000, failures)),
    [2000, 4000, 8000, 16_000, 16_000, 16_000],
  );
  t.end();
});

t.test('without a first delay there is none', (t) => {
  t.equal(failureDelayMs(0, 9), 0);
  t.end();
});
