import t from 'tap';
import { FairQueue } from '../../../../src/launcher/fairness/fair-queue.js';

interface Client {
  readonly name: string;
  readonly level: number;
  readonly source: string;
}

function client(name: string, level = 1, source = 'a'): Client {
  return { name, level, source };
}

function queue(limits: {
  readonly places: number;
  readonly perSource?: number;
  readonly exemptLevel?: number;
  readonly waiting?: number;
}) {
  const { places, perSource = places, exemptLevel = 2, waiting = 5 } = limits;
  return new FairQueue<Client>({ places, perSource, exemptLevel, waiting: () => waiting });
}

t.test('clients get places up to the limit, then wait, then are refused', (t) => {
  const gate = queue({ places: 2, waiting: 1 });
  t.equal(gate.enter(client('1')).decision, 'admitted');
  t.equal(gate.enter(client('2')).decision, 'admitted');
  t.equal(gate.enter(client('3')).decision, 'waiting');
  t.equal(gate.enter(client('4')).decision, 'refused');
  t.equal(gate.takenCount, 2);
  t.equal(gate.waitingCount, 1);
  t.end();
});

t.test('held clients are served in order of level, then of arrival', (t) => {
  const gate = queue({ places: 1 });
  const first = client('first', 5);
  gate.enter(first);
  for (const waiting of [client('b', 1), client('z', 0), client('a', 3), client('c', 1)]) {
    gate.enter(waiting);
  }
  t.equal(gate.next(), undefined);
  const order: string[] = [];
  for (let served: Client | undefined = first; served !== undefined; served = gate.next()) {
    gate.release(served);
    order.push(served.name);
  }
  t.same(order, ['first', 'a', 'b', 'c', 'z']);
  t.equal(gate.takenCount, 0);
  t.end();
});

t.test('a higher level takes the place of the lowest that waits', (t) => {
  const gate = queue({ places: 1, waiting: 2 });
  gate.enter(client('served', 2));
  gate.enter(client('older'));
  const newer = client('newer');
  gate.enter(newer);
  t.same(gate.enter(client('trusted', 2)), { decision: 'waiting', displaced: newer });
  t.equal(gate.enter(client('ordinary')).decision, 'refused');
  t.equal(gate.waitingCount, 2);
  t.end();
});

t.test('one source is served only so often, and does not hold up the others', (t) => {
  const gate = queue({ places: 3, perSource: 1 });
  const first = client('a1');
  t.equal(gate.enter(first).decision, 'admitted');
  t.equal(gate.enter(client('a2')).decision, 'waiting');
  t.equal(gate.enter(client('b1', 1, 'b')).decision, 'admitted');
  t.equal(gate.next(), undefined);
  gate.release(first);
  t.equal(gate.next()?.name, 'a2');
  t.end();
});

t.test('within a level the next one is of the source that is served least', (t) => {
  const gate = queue({ places: 3 });
  const served = [client('a1'), client('a2'), client('b1', 1, 'b')];
  for (const each of served) gate.enter(each);
  for (const name of ['a3', 'a4']) gate.enter(client(name));
  gate.enter(client('b2', 1, 'b'));
  gate.enter(client('c1', 1, 'c'));
  const order: (string | undefined)[] = [];
  for (const each of [client('a1'), client('a2'), client('b1', 1, 'b')]) {
    gate.release(each);
    order.push(gate.next()?.name);
  }
  t.same(order, ['c1', 'a3', 'b2']);
  t.end();
});

t.test('when all places to wait are taken, the source that has most of them makes room', (t) => {
  const gate = queue({ places: 1, waiting: 3 });
  gate.enter(client('served'));
  for (const name of ['a1', 'a2', 'a3']) gate.enter(client(name));
  t.equal(gate.enter(client('a4')).decision, 'refused');
  t.match(gate.enter(client('b1', 1, 'b')), { decision: 'waiting', displaced: { name: 'a3' } });
  t.equal(gate.enter(client('b2', 1, 'b')).decision, 'refused', 'it would have as many then');
  t.match(gate.enter(client('c1', 1, 'c')), { decision: 'waiting', displaced: { name: 'a2' } });
  t.equal(gate.enter(client('d1', 1, 'd')).decision, 'refused', 'nobody has more than one');
  t.equal(gate.waitingCount, 3);
  t.end();
});

t.test('a client lacks only a slot unless its source has its share', (t) => {
  const gate = queue({ places: 2, perSource: 1 });
  t.notOk(gate.lacksOnlyPlace(client('first')), 'there is a slot');
  gate.enter(client('a1'));
  t.notOk(gate.lacksOnlyPlace(client('a2')), 'its source has too many');
  gate.enter(client('b1', 1, 'b'));
  t.notOk(gate.lacksOnlyPlace(client('a2')));
  t.ok(gate.lacksOnlyPlace(client('c1', 1, 'c')));
  t.ok(gate.lacksOnlyPlace(client('trusted', 2)), 'no share counts for trusted levels');
  t.end();
});

t.test('an ordinary client lacks a slot while the rest is reserved', (t) => {
  const gate = queue({ places: 2 });
  gate.reserve(1);
  gate.enter(client('1'));
  t.ok(gate.lacksOnlyPlace(client('2')));
  t.notOk(gate.lacksOnlyPlace(client('trusted', 2)));
  t.end();
});

t.test('trusted levels are exempt from the limit of a source', (t) => {
  const gate = queue({ places: 3, perSource: 1 });
  for (const name of ['1', '2', '3']) {
    t.equal(gate.enter(client(name, 2)).decision, 'admitted');
  }
  t.end();
});

t.test('reserved slots are for trusted levels only', (t) => {
  const gate = queue({ places: 10 });
  gate.reserve(1);
  for (let served = 0; served < 9; served += 1) {
    t.equal(gate.enter(client('ordinary')).decision, 'admitted');
  }
  t.equal(gate.enter(client('one more')).decision, 'waiting');
  t.equal(gate.enter(client('trusted', 2)).decision, 'admitted');
  t.equal(gate.enter(client('trusted', 2)).decision, 'waiting');
  t.end();
});

t.test('when the reservation is lifted the held ones can be served', (t) => {
  const gate = queue({ places: 2 });
  gate.reserve(1);
  gate.enter(client('1'));
  gate.enter(client('2'));
  t.equal(gate.next(), undefined);
  gate.reserve(0);
  t.equal(gate.next()?.name, '2');
  t.end();
});

t.test('who arrives when a slot is free does not overtake who waits for it', (t) => {
  const gate = queue({ places: 1 });
  const first = client('1');
  gate.enter(first);
  gate.enter(client('2'));
  gate.release(first);
  t.equal(gate.enter(client('3')).decision, 'waiting');
  t.equal(gate.next()?.name, '2');
  t.end();
});

t.test('dismissed clients wait no more', (t) => {
  const gate = queue({ places: 1 });
  const first = client('1');
  gate.enter(first);
  gate.enter(client('2'));
  t.same(
    gate.dismiss().map(({ name }) => name),
    ['2'],
  );
  gate.release(first);
  t.equal(gate.next(), undefined);
  t.end();
});

t.test('no source, of whatever level, has more than its share where nobody is exempt', (t) => {
  const gate = queue({ places: 3, perSource: 2, exemptLevel: Infinity });
  for (const name of ['1', '2']) t.equal(gate.enter(client(name, 5)).decision, 'admitted');
  t.equal(gate.enter(client('3', 5)).decision, 'waiting');
  t.equal(gate.enter(client('4', 1, 'b')).decision, 'admitted');
  t.end();
});

t.test('a client that waits may be withdrawn, once', (t) => {
  const gate = queue({ places: 1 });
  const [first, second, third] = [client('1'), client('2'), client('3')];
  for (const each of [first, second, third]) gate.enter(each);
  t.notOk(gate.withdraw(first), 'it has a place');
  t.ok(gate.withdraw(second));
  t.notOk(gate.withdraw(second));
  gate.release(first);
  t.equal(gate.next(), third);
  t.end();
});
