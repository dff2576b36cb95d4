import t from 'tap';
import { formatOctets, formatSeconds } from '../../../../src/pop3-client/run/progress-bar.js';

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

for (const [seconds, text] of [
  [0.2, '1 s'],
  [59, '59 s'],
  [89, '1 min'],
  [3599, '1 h 0 min'],
  [11_100, '3 h 5 min'],
] as const) {
  t.test(`${seconds} seconds are ${text}`, (t) => {
    t.equal(formatSeconds(seconds), text);
    t.end();
  });
}
