import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { gather } from '../../../../src/system/runtime/gather.js';

t.test('calls that come together are acted on once, later ones again', async (t) => {
  let acts = 0;
  let done: () => void = () => undefined;
  const nextAct = (): Promise<void> => new Promise((resolve) => (done = resolve));
  const soon = gather(() => {
    acts += 1;
    done();
  });
  const first = nextAct();
  soon();
  soon();
  t.equal(acts, 0, 'not while the caller is still at work');
  await first;
  const second = nextAct();
  soon();
  await second;
  await delay(20);
  t.equal(acts, 2);
});
