import t from 'tap';
import { hashConcurrency } from '../../../../src/auth/verifying/hash-queue.js';

t.test('concurrency leaves two of the threads that files are read with', (t) => {
  t.equal(hashConcurrency({ UV_THREADPOOL_SIZE: '3' }), 1);
  t.equal(hashConcurrency({ UV_THREADPOOL_SIZE: '1' }), 1);
  t.equal(hashConcurrency({ UV_THREADPOOL_SIZE: 'x' }), hashConcurrency({}));
  t.ok(hashConcurrency({}) <= 2);
  t.end();
});
