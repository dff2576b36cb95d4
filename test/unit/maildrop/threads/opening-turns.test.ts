import t from 'tap';
import { OpeningTurns } from '../../../../src/maildrop/threads/opening-turns.js';

const atOnce = 4;

/** Takes all turns that there are, and as many more as are asked for. */
async function takeAll(turns: OpeningTurns, more: number) {
  const ends = await Promise.all(Array.from({ length: atOnce }, () => turns.take()));
  const order: number[] = [];
  const waiting = Array.from({ length: more }, (_, index) =>
    turns.take().then((end) => {
      order.push(index);
      return end;
    }),
  );
  for (const each of waiting) each.catch(() => undefined);
  return { ends, order, waiting };
}

t.test('each turn that ends is given to whoever waits longest', async (t) => {
  const turns = new OpeningTurns(2);
  const { ends, order, waiting } = await takeAll(turns, 3);
  t.same(order, []);
  for (const end of ends) end();
  const further = await Promise.all(waiting);
  t.same(order, [0, 1, 2]);
  for (const end of further) end();
  const again = await takeAll(turns, 1);
  t.same(again.order, [], 'no turn was lost, and none was made up');
});

t.test('whoever has waited for too many ticks gives up, and the others go on', async (t) => {
  const turns = new OpeningTurns(2);
  const { ends, waiting } = await takeAll(turns, 1);
  turns.tick();
  const later = turns.take();
  turns.tick();
  await t.rejects(Promise.all(waiting), /too much to do/);
  ends[0]?.();
  t.type(await later, 'function');
});

t.test('all give up at once', async (t) => {
  const turns = new OpeningTurns(2);
  const { waiting } = await takeAll(turns, 2);
  turns.giveUpAll(new Error('no answer'));
  for (const each of waiting) await t.rejects(each, /no answer/);
});
