import t from 'tap';
import { reservedSlots } from '../../../../src/launcher/fairness/trusted-level.js';

t.test('a tenth is reserved, rounded up, but never everything', (t) => {
  t.same(
    [1, 2, 10, 11, 40, 1000].map((concurrency) => reservedSlots(concurrency)),
    [0, 1, 1, 2, 4, 100],
  );
  t.end();
});
