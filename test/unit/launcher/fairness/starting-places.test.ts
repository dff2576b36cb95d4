import t from 'tap';
import {
  StartingPlaces,
  type StartingPlace,
} from '../../../../src/launcher/fairness/starting-places.js';

/** Says what became of each claim, in the order in which it was settled. */
function watched(inAll: number, perSource: number) {
  const places = new StartingPlaces({ inAll, perSource });
  const settled: string[] = [];
  const claim = (name: string, source: string, level = 1): StartingPlace => {
    const place = places.claim({ level, source });
    void place.isGranted.then((granted) => settled.push(granted ? name : `not ${name}`));
    return place;
  };
  return { settled, claim };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

t.test('as many as there are places are granted at once, the others in order', async (t) => {
  const { settled, claim } = watched(2, 2);
  const first = claim('1', 'a');
  claim('2', 'a');
  claim('3', 'a');
  claim('4', 'a');
  await turn();
  t.same(settled, ['1', '2']);
  first.leave();
  first.leave();
  await turn();
  t.same(settled, ['1', '2', '3'], 'leaving twice gives one place back');
});

t.test('a source that has its share waits, and others do not wait behind it', async (t) => {
  const { settled, claim } = watched(3, 2);
  for (const name of ['1', '2', '3']) claim(name, 'a');
  claim('4', 'b');
  await turn();
  t.same(settled, ['1', '2', '4']);
});

t.test('the next is of the highest level, then of the source that starts least', async (t) => {
  const { settled, claim } = watched(2, 2);
  claim('a1', 'a');
  const second = claim('b1', 'b');
  claim('a2', 'a');
  claim('c1', 'c');
  const trusted = claim('e1', 'e', 2);
  second.leave();
  await turn();
  t.same(settled, ['a1', 'b1', 'e1']);
  trusted.leave();
  await turn();
  t.same(settled, ['a1', 'b1', 'e1', 'c1']);
});

t.test('one that leaves while it waits is not granted a place, and takes none', async (t) => {
  const { settled, claim } = watched(1, 1);
  const first = claim('1', 'a');
  claim('2', 'a').leave();
  claim('3', 'a');
  first.leave();
  await turn();
  t.same(settled, ['1', 'not 2', '3']);
});

t.test('one that leaves in the moment in which it is granted gives the place back', async (t) => {
  const { settled, claim } = watched(1, 1);
  const first = claim('1', 'a');
  const second = claim('2', 'a');
  claim('3', 'a');
  first.leave();
  second.leave();
  await turn();
  t.same(settled, ['1', '2', '3']);
});
