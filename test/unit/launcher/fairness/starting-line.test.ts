import { Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import t from 'tap';
import { StartingLine, type Turn } from '../../../../src/launcher/fairness/starting-line.js';

function peer(isThere = true): Socket {
  const socket = new Socket();
  if (!isThere) socket.destroy();
  return socket;
}

const atHome = { level: 1, source: 'a' };

async function occupied(): Promise<{ readonly line: StartingLine; readonly turns: Turn[] }> {
  const line = new StartingLine();
  const turns = Array.from({ length: availableParallelism() }, () => line.enter(atHome, peer()));
  for (const { whyNot } of turns) await whyNot;
  return { line, turns };
}

t.test('a client waits until a program of its source is ready', async (t) => {
  const { line, turns } = await occupied();
  const next = line.enter(atHome, peer());
  const before = await Promise.race([
    next.whyNot,
    new Promise((resolve) => setTimeout(resolve, 50, 'waits')),
  ]);
  t.equal(before, 'waits');
  turns[0]?.leave();
  t.equal(await next.whyNot, null);
});

t.test('a program that never tells does not hold others up for long', async (t) => {
  const { line } = await occupied();
  t.equal(await line.enter(atHome, peer()).whyNot, null);
});

t.test('one that gives way while it waits is not started', async (t) => {
  const { line } = await occupied();
  const next = line.enter(atHome, peer());
  next.leave();
  t.equal(await next.whyNot, 'gave way while it waited');
});

t.test('no program is started for a peer that is gone', async (t) => {
  t.equal(
    await new StartingLine().enter(atHome, peer(false)).whyNot,
    'the peer left while it waited',
  );
  const { line } = await occupied();
  t.equal(await line.enter(atHome, peer(false)).whyNot, 'the peer left at once', 'in a burst');
});
