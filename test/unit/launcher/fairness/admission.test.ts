import t from 'tap';
import {
  Admission,
  reservedSlots,
  type AdmissionLimits,
} from '../../../../src/launcher/fairness/admission.js';

interface Client {
  readonly name: string;
  readonly level: number;
  readonly source: string;
}

function client(name: string, level = 1, source = 'a'): Client {
  return { name, level, source };
}

function admission(limits: Partial<Omit<AdmissionLimits, 'held'>> & { held?: number }) {
  const { concurrency = 10, perSource = concurrency, held = 5 } = limits;
  return new Admission<Client>({ concurrency, perSource, held: () => held });
}

t.test('clients are served up to the limit, then held, then refused', (t) => {
  const gate = admission({ concurrency: 2, held: 1 });
  t.equal(gate.apply(client('1')).decision, 'admitted');
  t.equal(gate.apply(client('2')).decision, 'admitted');
  t.equal(gate.apply(client('3')).decision, 'held');
  t.equal(gate.apply(client('4')).decision, 'refused');
  t.equal(gate.servedCount, 2);
  t.equal(gate.heldCount, 1);
  t.end();
});

t.test('held clients are served in order of level, then of arrival', (t) => {
  const gate = admission({ concurrency: 1 });
  const first = client('first', 5);
  gate.apply(first);
  for (const waiting of [client('b', 1), client('z', 0), client('a', 3), client('c', 1)]) {
    gate.apply(waiting);
  }
  t.equal(gate.next(), undefined);
  const order: string[] = [];
  for (let served: Client | undefined = first; served !== undefined; served = gate.next()) {
    gate.release(served);
    order.push(served.name);
  }
  t.same(order, ['first', 'a', 'b', 'c', 'z']);
  t.equal(gate.servedCount, 0);
  t.end();
});

t.test('a higher level takes the place of the lowest that waits', (t) => {
  const gate = admission({ concurrency: 1, held: 2 });
  gate.apply(client('served', 2));
  gate.apply(client('older'));
  const newer = client('newer');
  gate.apply(newer);
  t.same(gate.apply(client('trusted', 2)), { decision: 'held', displaced: newer });
  t.equal(gate.apply(client('ordinary')).decision, 'refused');
  t.equal(gate.heldCount, 2);
  t.end();
});

t.test('one source is served only so often, and does not hold up the others', (t) => {
  const gate = admission({ concurrency: 3, perSource: 1 });
  const first = client('a1');
  t.equal(gate.apply(first).decision, 'admitted');
  t.equal(gate.apply(client('a2')).decision, 'held');
  t.equal(gate.apply(client('b1', 1, 'b')).decision, 'admitted');
  t.equal(gate.next(), undefined);
  gate.release(first);
  t.equal(gate.next()?.name, 'a2');
  t.end();
});

t.test('within a level the next one is of the source that is served least', (t) => {
  const gate = admission({ concurrency: 3 });
  const served = [client('a1'), client('a2'), client('b1', 1, 'b')];
  for (const each of served) gate.apply(each);
  for (const name of ['a3', 'a4']) gate.apply(client(name));
  gate.apply(client('b2', 1, 'b'));
  gate.apply(client('c1', 1, 'c'));
  const order: (string | undefined)[] = [];
  for (const each of [client('a1'), client('a2'), client('b1', 1, 'b')]) {
    gate.release(each);
    order.push(gate.next()?.name);
  }
  t.same(order, ['c1', 'a3', 'b2']);
  t.end();
});

t.test('when all places to wait are taken, the source that has most of them makes room', (t) => {
  const gate = admission({ concurrency: 1, held: 3 });
  gate.apply(client('served'));
  for (const name of ['a1', 'a2', 'a3']) gate.apply(client(name));
  t.equal(gate.apply(client('a4')).decision, 'refused');
  t.match(gate.apply(client('b1', 1, 'b')), { decision: 'held', displaced: { name: 'a3' } });
  t.equal(gate.apply(client('b2', 1, 'b')).decision, 'refused', 'it would have as many then');
  t.match(gate.apply(client('c1', 1, 'c')), { decision: 'held', displaced: { name: 'a2' } });
  t.equal(gate.apply(client('d1', 1, 'd')).decision, 'refused', 'nobody has more than one');
  t.equal(gate.heldCount, 3);
  t.end();
});

t.test('a client lacks only a slot unless its source has its share', (t) => {
  const gate = admission({ concurrency: 2, perSource: 1 });
  t.notOk(gate.lacksOnlySlot(client('first')), 'there is a slot');
  gate.apply(client('a1'));
  t.notOk(gate.lacksOnlySlot(client('a2')), 'its source has too many');
  gate.apply(client('b1', 1, 'b'));
  t.notOk(gate.lacksOnlySlot(client('a2')));
  t.ok(gate.lacksOnlySlot(client('c1', 1, 'c')));
  t.ok(gate.lacksOnlySlot(client('trusted', 2)), 'no share counts for trusted levels');
  t.end();
});

t.test('an ordinary client lacks a slot while the rest is reserved', (t) => {
  const gate = admission({ concurrency: 2 });
  gate.reserve(1);
  gate.apply(client('1'));
  t.ok(gate.lacksOnlySlot(client('2')));
  t.notOk(gate.lacksOnlySlot(client('trusted', 2)));
  t.end();
});

t.test('trusted levels are exempt from the limit of a source', (t) => {
  const gate = admission({ concurrency: 3, perSource: 1 });
  for (const name of ['1', '2', '3']) {
    t.equal(gate.apply(client(name, 2)).decision, 'admitted');
  }
  t.end();
});

t.test('reserved slots are for trusted levels only', (t) => {
  const gate = admission({ concurrency: 10 });
  gate.reserve(reservedSlots(10));
  for (let served = 0; served < 9; served += 1) {
    t.equal(gate.apply(client('ordinary')).decision, 'admitted');
  }
  t.equal(gate.apply(client('one more')).decision, 'held');
  t.equal(gate.apply(client('trusted', 2)).decision, 'admitted');
  t.equal(gate.apply(client('trusted', 2)).decision, 'held');
  t.end();
});

t.test('when the reservation is lifted the held ones can be served', (t) => {
  const gate = admission({ concurrency: 2 });
  gate.reserve(1);
  gate.apply(client('1'));
  gate.apply(client('2'));
  t.equal(gate.next(), undefined);
  gate.reserve(0);
  t.equal(gate.next()?.name, '2');
  t.end();
});

t.test('who arrives when a slot is free does not overtake who waits for it', (t) => {
  const gate = admission({ concurrency: 1 });
  const first = client('1');
  gate.apply(first);
  gate.apply(client('2'));
  gate.release(first);
  t.equal(gate.apply(client('3')).decision, 'held');
  t.equal(gate.next()?.name, '2');
  t.end();
});

t.test('a tenth is reserved, rounded up, but never everything', (t) => {
  t.same(
    [1, 2, 10, 11, 40, 1000].map((concurrency) => reservedSlots(concurrency)),
    [0, 1, 1, 2, 4, 100],
  );
  t.end();
});

t.test('dismissed clients wait no more', (t) => {
  const gate = admission({ concurrency: 1 });
  const first = client('1');
  gate.apply(first);
  gate.apply(client('2'));
  t.same(
    gate.dismiss().map(({ name }) => name),
    ['2'],
  );
  gate.release(first);
  t.equal(gate.next(), undefined);
  t.end();
});
