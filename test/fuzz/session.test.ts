// 200,000 inputs, each replayed in every state of a session; test/long makes it ten million. FUZZ_SEED repeats a run.

import t from 'tap';
import { builtProgram, startCommand } from '../support/run-program.js';
import { shrink } from './shrink.js';

const seed = process.env['FUZZ_SEED'] ?? '1939';

t.setTimeout(600_000);

t.test('whatever arrives in any state gets the replies that the model says', async (t) => {
  const fuzzer = startCommand(t, process.execPath, [
    builtProgram('test/fuzz/main.js'),
    seed,
    '200000',
  ]);
  const { status, stdout, stderr } = await fuzzer.finish('', 500_000);
  t.comment(stdout.toString());
  t.equal(status, 0, `the fuzzer found nothing\n${stdout.toString()}${stderr}`);
});

t.test('a failing list shrinks to what makes it fail', async (t) => {
  const inputs = ['NOOP\r\n', 'xxLISTyy 1\r\n', 'STAT\r\n'];
  const smallest = await shrink(inputs, (candidate) =>
    Promise.resolve(candidate.join('').includes('IS')),
  );
  t.strictSame(smallest, ['IS']);
});
