// 200,000 inputs, each replayed in every state of a session; test/long makes it ten million. FUZZ_SEED repeats a run.

import t from 'tap';
import { builtProgram, startCommand } from '../support/programs/run-program.js';
import { fuzzSessions, type Replay } from './fuzz-sessions.js';

const seed = process.env['FUZZ_SEED'] ?? '1939';

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

t.test('what fails is made small, and its seed and path show it again', async (t) => {
  const fails: Replay = (inputs, { name }) =>
    Promise.resolve(name === 'TRANSACTION' && /LIST 1\r/.test(inputs.join('')) ? 'no' : null);
  const options = { seed: 1939, inputCount: 20_000, replay: fails };
  const { failure } = await fuzzSessions(options);
  t.match(failure, /in TRANSACTION: no: .*"cuts":\[\].*: \["LIST 1\\r\\n"\]$/);
  const [, path = ''] = /, path (\S+):/.exec(failure ?? '') ?? [];
  t.equal((await fuzzSessions({ ...options, path })).failure, failure);
});
