// Thousands of streams and some hundred runs against hostile servers; test/long goes on for minutes. FUZZ_SEED repeats a run.

import t from 'tap';
import { builtProgram, startCommand } from '../support/programs/run-program.js';
import { readEndless } from './replies.js';
import { ReplyModel } from './reply-model.js';

const seed = process.env['FUZZ_SEED'] ?? '1939';
const mebibyte = 1 << 20;

t.test(
  'whatever a server sends is read as the model says, and nothing is lost by it',
  async (t) => {
    const fuzzer = startCommand(t, process.execPath, [
      builtProgram('test/fuzz/replies-main.js'),
      ...[seed, '2000', '96'],
    ]);
    const { status, stdout, stderr } = await fuzzer.finish('', 250_000);
    t.comment(stdout.toString());
    t.equal(status, 0, `the fuzzer found nothing\n${stdout.toString()}${stderr}`);
  },
);

for (const [kind, start, piece, failure, mostOctets] of [
  ['status', '', 'x', 'LostStep', 12_289],
  ['sasl', '+ ', 'A', 'LostStep', 12_289],
  ['lines', '', '1 2\r\n', 'LostStep', 1200],
  ['message', '', '..\r\n', 'MessageTooLarge', 1200],
  ['capabilities', '+OK\r\n', 'X-LIE\r\n', 'LostStep', 65_536],
  ['capabilities', '+OK\r\n', 'x', 'LostStep', 65_536],
  ['large-message', '', `${'x'.repeat(1000)}\r\n`, 'MessageTooLarge', 256 * mebibyte],
] as const) {
  t.test(
    `${kind} without end (${JSON.stringify(piece.slice(0, 8))}) ends and takes no memory`,
    async (t) => {
      const result = await readEndless(kind, start, piece);
      t.equal(result.failure, failure);
      // What is read ahead is bounded too.
      t.ok(result.takenOctets <= mostOctets + 2 * mebibyte, `${result.takenOctets} taken`);
      t.ok(result.grownOctets < 96 * mebibyte, `${result.grownOctets} more in buffers`);
    },
  );
}

t.test('the model knows an end from what looks like one', (t) => {
  const rows: readonly (readonly [stream: string, content: string])[] = [
    ['.\r\n', ''],
    ['a\r\n.\r\nrest', 'a\r\n'],
    ['..\r\n.\r\n', '.\r\n'],
    ['a\n.\nb\r\n.\r\n', 'a\n.\nb\r\n'],
    ['.\r\r\n.\r\n', '\r\r\n'],
    ['a\r.\r\n.\r\n', 'a\r.\r\n'],
  ];
  for (const [stream, content] of rows) t.equal(new ReplyModel(stream).message(100), content);
  t.end();
});
