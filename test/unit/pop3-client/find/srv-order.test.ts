import fc from 'fast-check';
import t from 'tap';
import { orderSrvRecords, type SrvRecord } from '../../../../src/pop3-client/find/srv-order.js';

const record = (name: string, priority: number, weight: number): SrvRecord => ({
  name,
  port: 110,
  priority,
  weight,
});

t.test('lower priorities come first, whatever is drawn', (t) => {
  const records = [record('b', 20, 100), record('a', 10, 0), record('c', 30, 1)];
  for (const drawn of [0, 1, 50]) {
    const ordered = orderSrvRecords(records, (sum) => Math.min(sum, drawn));
    t.same(
      ordered.map(({ name }) => name),
      ['a', 'b', 'c'],
    );
  }
  t.end();
});

t.test('weights share out the number drawn as RFC 2782 counts', (t) => {
  const records = [record('one', 0, 1), record('three', 0, 3), record('zero', 0, 0)];
  const firstFor = (drawn: number): string | undefined =>
    orderSrvRecords(records, (sum) => Math.min(sum, drawn))[0]?.name;
  t.same([0, 1, 2, 3, 4].map(firstFor), ['zero', 'one', 'three', 'three', 'three']);
  t.end();
});

t.test('over many draws a target comes first as often as its weight says', (t) => {
  const records = [record('light', 0, 10), record('heavy', 0, 90)];
  let heavy = 0;
  // A draw of each number is as good as chance, and the same every time.
  for (let drawn = 0; drawn <= 100; drawn += 1) {
    const [first] = orderSrvRecords(records, (sum) => Math.min(sum, drawn));
    if (first?.name === 'heavy') heavy += 1;
  }
  t.equal(heavy, 90);
  t.end();
});

t.test('every record is there once', (t) => {
  const records = fc.array(
    fc.tuple(fc.nat(3), fc.nat(65_535)).map(([priority, weight]) => record('x', priority, weight)),
  );
  fc.assert(
    fc.property(records, fc.nat(), (given, drawn) => {
      const ordered = orderSrvRecords(given, (sum) => drawn % (sum + 1));
      return ordered.length === given.length && new Set(ordered).size === given.length;
    }),
  );
  t.end();
});
