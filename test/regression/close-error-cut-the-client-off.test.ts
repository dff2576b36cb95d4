// close(2) of a message that was read whole failed, as it may on a network file system, and the client was cut off before it got the
// message. Found by test/faults.

import t from 'tap';
import { pop3dSubject } from '../faults/pop3d-subject.js';
import { unlessTraceable } from '../faults/strace.js';

t.test(
  'a message whose file cannot be closed is sent all the same',
  { skip: unlessTraceable() },
  async (t) => {
    const subject = pop3dSubject(t);
    for (const ordinal of [1, 2]) {
      const target = '@root/example.org/ann/INBOX/new/1700000001.M1P1.fixture';
      const run = await subject.run({ syscall: 'close', target, ordinal, effect: 'EIO' });
      t.match(run.trace, /INJECTED/, 'the call failed');
      t.strictSame(run.violations, []);
      t.strictSame(
        run.replies.filter((reply) => !reply.startsWith('+OK')),
        [],
      );
    }
  },
);
