import { Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import t from 'tap';
import {
  ProcessStarts,
  type ProcessStart,
} from '../../../../src/launcher/fairness/process-starts.js';

function peer(isThere = true): Socket {
  const socket = new Socket();
  if (!isThere) socket.destroy();
  return socket;
}

const atHome = { level: 1, source: 'a' };

/** As many starts as one source may have at a time. */
async function occupied(): Promise<{
  readonly starts: ProcessStarts;
  readonly running: readonly ProcessStart[];
}> {
  const starts = new ProcessStarts();
  const running = Array.from({ length: availableParallelism() }, () =>
    starts.request(atHome, peer()),
  );
  for (const { whyNot } of running) t.equal(await whyNot, null);
  return { starts, running };
}

t.test('a client waits until a program of its source is ready', async (t) => {
  const { starts, running } = await occupied();
  const next = starts.request(atHome, peer());
  const before = await Promise.race([
    next.whyNot,
    new Promise((resolve) => setTimeout(resolve, 50, 'waits')),
  ]);
  t.equal(before, 'waits');
  running[0]?.end();
  t.equal(await next.whyNot, null);
});

t.test('a program that never tells does not hold others up for long', async (t) => {
  const { starts } = await occupied();
  t.equal(await starts.request(atHome, peer()).whyNot, null);
});

t.test('one that gives way while it waits is not started', async (t) => {
  const { starts } = await occupied();
  const next = starts.request(atHome, peer());
  next.end();
  t.equal(await next.whyNot, 'gave way while it waited');
});

t.test('no program is started for a peer that is gone', async (t) => {
  t.equal(
    await new ProcessStarts().request(atHome, peer(false)).whyNot,
    'the peer left while it waited',
  );
  const { starts } = await occupied();
  t.equal(await starts.request(atHome, peer(false)).whyNot, 'the peer left at once', 'in a burst');
});

t.test('one that gives way in the moment in which its turn comes is not started', async (t) => {
  const { starts, running } = await occupied();
  const next = starts.request(atHome, peer());
  const last = starts.request(atHome, peer());
  // Longer than the look at who only knocks.
  await new Promise((resolve) => setTimeout(resolve, 20));
  running[0]?.end();
  next.end();
  t.equal(await next.whyNot, 'gave way while it waited');
  t.equal(await last.whyNot, null, 'and the next one is');
});

t.test('a source that has its share does not hold up another, whatever its level', async (t) => {
  const { starts } = await occupied();
  const waiting = starts.request({ level: 5, source: 'a' }, peer());
  t.equal(await starts.request({ level: 1, source: 'b' }, peer()).whyNot, null);
  waiting.end();
  t.equal(await waiting.whyNot, 'gave way while it waited');
});
