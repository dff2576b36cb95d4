import t from 'tap';
import { ChurningMap } from '../../../../src/system/runtime/churning-map.js';

t.test('it is a Map', (t) => {
  const map = new ChurningMap<string, number>();
  map.set('one', 1);
  map.set('two', 2);
  map.set('one', 11);
  t.equal(map.get('one'), 11);
  t.equal(map.size, 2);
  t.ok(map.delete('one'));
  t.notOk(map.delete('one'));
  t.equal(map.get('one'), undefined);
  t.equal(map.size, 1);
  t.end();
});

t.test('members may be deleted while it is walked, and are then not met', (t) => {
  const map = new ChurningMap<number, string>();
  for (const [key, value] of ['a', 'b', 'c'].entries()) map.set(key, value);
  const met: string[] = [];
  for (const [key, value] of map.entries()) {
    met.push(value);
    map.delete(key);
    map.delete(1);
  }
  t.same(met, ['a', 'c']);
  t.equal(map.size, 0);
  t.end();
});

t.test('what was deleted is garbage at once, whatever became of the table', (t) => {
  const map = new ChurningMap<number, object>();
  const kept = Array.from({ length: 100 }, (_, key) => {
    const member = {};
    map.set(key, member);
    return member;
  });
  for (const key of kept.keys()) map.delete(key);
  t.same([...map.values()], []);
  t.end();
});
