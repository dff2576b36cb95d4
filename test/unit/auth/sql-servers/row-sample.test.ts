import t from 'tap';
import { RowSample } from '../../../../src/auth/sql-servers/row-sample.js';

const rows = Array.from({ length: 50 }, (_, index) => `{PLAIN}${index}`);
const positions = Array.from({ length: 5000 }, (_, index) => BigInt(index) * 987_654_321n);
const any = (): boolean => true;

t.test('each row is picked about as often as the others', (t) => {
  const sample = new RowSample(rows);
  const counts = new Map<string | null, number>();
  for (const position of positions) {
    const picked = sample.pick(position, any);
    counts.set(picked, (counts.get(picked) ?? 0) + 1);
  }
  t.equal(counts.size, rows.length);
  t.ok(Math.min(...counts.values()) > 50, 'a hundred each on average');
  t.ok(Math.max(...counts.values()) < 170);
  t.end();
});

t.test('a row more changes few picks, in whichever order the rows come', (t) => {
  const before = new RowSample(rows);
  const after = new RowSample(['{PLAIN}new', ...rows.toReversed()]);
  const changed = positions.filter(
    (position) => before.pick(position, any) !== after.pick(position, any),
  );
  t.ok(changed.length < positions.length / 25, String(changed.length));
  t.ok(changed.every((position) => after.pick(position, any) === '{PLAIN}new'));
  t.end();
});

t.test('what is not accepted is not picked', (t) => {
  const sample = new RowSample(rows);
  t.equal(
    sample.pick(7n, (text) => text === '{PLAIN}13'),
    '{PLAIN}13',
  );
  t.equal(
    sample.pick(7n, () => false),
    null,
  );
  t.equal(new RowSample([]).pick(7n, any), null);
  t.end();
});
