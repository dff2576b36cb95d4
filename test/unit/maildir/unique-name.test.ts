import t from 'tap';
import { hostPart, StampSource } from '../../../src/maildir/unique-name.js';

t.test('a stamp has seconds and microseconds', (t) => {
  t.equal(new StampSource(() => 1_732_184_037_000.123).next(), '1732184037.M000123');
  t.end();
});

t.test('stamps increase while the clock stands, and when it goes back', (t) => {
  const times = [2000.999, 2000.999, 1000, 3000];
  const source = new StampSource(() => times.shift() ?? 0);
  const stamps = [1, 2, 3, 4].map(() => source.next());
  t.same(stamps, ['2.M000999', '2.M001000', '2.M001001', '3.M000000']);
  t.end();
});

t.test('a host name cannot leave its part of a file name', (t) => {
  t.equal(hostPart('mail.example.org'), 'mail.example.org');
  t.equal(hostPart('a/b:c d\n'), 'a\\057b\\072c_d_');
  t.equal(hostPart('é'.repeat(300)).length, 64);
  t.equal(hostPart(''), 'localhost');
  t.end();
});
