// 400 of the random sessions of test/long, over real processes. FUZZ_SEED repeats a run.

import t from 'tap';
import { runWholeSessions } from './whole-sessions.js';
import { testFolder } from '../support/suite/test-folder.js';

const seed = Number(process.env['FUZZ_SEED'] ?? 1939);

t.test(
  'random sessions get the replies that the model says, and remove what it says',
  async (t) => {
    const result = await runWholeSessions(t, {
      seed,
      sessionCount: 400,
      mailRoot: testFolder(t, {}),
    });
    t.strictSame(result.failures, []);
    t.ok(result.removed > 0, 'some of them removed messages');
  },
);
