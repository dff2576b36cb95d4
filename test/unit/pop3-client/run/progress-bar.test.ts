import t from 'tap';
import { formatOctets } from '../../../../src/pop3-client/run/progress-bar.js';

for (const [octets, text] of [
  [0, '0 B'],
  [999, '999 B'],
  [1500, '1.5 kB'],
  [20_000_000, '20.0 MB'],
  [3e15, '3000.0 TB'],
] as const) {
  t.test(`${octets} octets are ${text}`, (t) => {
    t.equal(formatOctets(octets), text);
    t.end();
  });
}
