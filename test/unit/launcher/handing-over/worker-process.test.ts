// When a worker is killed for being silent, with a process that is none.

import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { WorkerProcess, type Offer } from '../../../../src/launcher/handing-over/worker-process.js';
import { deadline } from '../../../support/suite/deadline.js';

const takeMs = 40;
const readyMs = 120;

/** A worker that speaks when the test says so. */
function startSilent(t: Test) {
  const channel = Object.assign(new EventEmitter(), {
    connected: true,
    send: () => true,
    disconnect: () => (channel.connected = false),
  });
  const signals: string[] = [];
  let end: () => void = () => undefined;
  const worker = new WorkerProcess(
    {
      pid: 4711,
      child: channel as unknown as ChildProcess,
      ended: new Promise((resolve) => {
        end = () => {
          resolve({ status: null, signal: 'SIGKILL' });
        };
      }),
      kill: (signal) => {
        signals.push(signal);
        end();
      },
    },
    { onFree: () => undefined, onRetire: () => undefined },
    { takeMs, readyMs },
  );
  t.teardown(() => {
    end();
  });
  return {
    worker,
    signals,
    say: (message: object) => channel.emit('message', message),
    offer: (id: number): Promise<Offer> => {
      const facts = { arguments: [], environment: {}, network: '127.0.0.1', isGreeted: false };
      const offer = worker.offer(
        { kind: 'connection', id, ...facts },
        new Socket(),
        () => undefined,
      );
      return deadline(offer, 20_000, () => 'the offer was not settled');
    },
  };
}

/** Long after the times that the test's workers are given. */
const longAfter = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 3 * readyMs));

t.test('one that is not ready in time is killed', async (t) => {
  const { worker, signals } = startSilent(t);
  t.match(await worker.ended, { signal: 'SIGKILL' });
  t.same(signals, ['SIGKILL']);
});

t.test('one that is ready in time lives, though nobody offers it anything', async (t) => {
  const { signals, say } = startSilent(t);
  say({ kind: 'ready', greeting: null });
  await longAfter();
  t.same(signals, []);
});

t.test('one that is retired before it is ready, and does not end, is killed too', async (t) => {
  const { worker, signals } = startSilent(t);
  worker.retire();
  t.match(await worker.ended, { signal: 'SIGKILL' });
  t.same(signals, ['SIGKILL']);
});

t.test('one that is retired when it is ready may take its time', async (t) => {
  const { worker, signals, say } = startSilent(t);
  say({ kind: 'ready', greeting: null });
  worker.retire();
  await longAfter();
  t.same(signals, []);
});

t.test('one that took what it was offered lives, and is killed for the next', async (t) => {
  const { worker, signals, say, offer } = startSilent(t);
  say({ kind: 'ready', greeting: null });
  const first = offer(1);
  say({ kind: 'taken', id: 1 });
  const { offer: firstOffer } = await first;
  t.equal(firstOffer, 'taken');
  // The timer has run out by now, and must start again.
  await longAfter();
  t.same(signals, []);
  t.same(await offer(2), { offer: 'died' });
  t.same(signals, ['SIGKILL']);
  t.match(await worker.ended, { signal: 'SIGKILL' });
});

t.test('what another connection is told does not count for the one that is offered', async (t) => {
  const { signals, say, offer } = startSilent(t);
  say({ kind: 'ready', greeting: null });
  const offered = offer(2);
  say({ kind: 'taken', id: 1 });
  say({ kind: 'sessions', ended: [1] });
  t.same(await offered, { offer: 'died' });
  t.same(signals, ['SIGKILL']);
});
