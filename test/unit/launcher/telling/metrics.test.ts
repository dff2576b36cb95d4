// The text format of Prometheus, read by the letter: HELP, TYPE and the value of each metric in this order, base units,
// `_total` for counters.

import t from 'tap';

import { formatMetrics, type Counters } from '../../../../src/launcher/telling/metrics.js';
import { readMetrics } from '../../../support/peers/prometheus-text.js';

const counters: Counters = {
  accepted: 101,
  served: 102,
  denied: 103,
  refused: 104,
  failed: 105,
  evicted: 106,
  logins: 107,
  failedLogins: 108,
  running: 9,
  held: 10,
};

t.test('every counter is there once, with its type and its service', (t) => {
  const metrics = readMetrics(
    formatMetrics(counters, {
      places: [{ address: '127.0.0.1', port: 110 }],
      startedSeconds: 1_800_000_000,
    }),
  );
  t.same(
    metrics.map(({ value }) => value),
    [...Object.values({ ...counters }), 1_800_000_000],
  );
  for (const { name, type, labels } of metrics) {
    t.equal(type, name.endsWith('_total') ? 'counter' : 'gauge', name);
    t.match(name, /^tcpsrun_[a-z_]+$/);
    t.same(labels, { listen: '127.0.0.1:110' });
  }
  t.end();
});

t.test('an IPv6 address stands in brackets, and several places with blanks between', (t) => {
  const [metric] = readMetrics(
    formatMetrics(counters, {
      places: [
        { address: '::', port: 995 },
        { address: '0.0.0.0', port: 110 },
      ],
      startedSeconds: 1,
    }),
  );
  t.same(metric?.labels, { listen: '[::]:995 0.0.0.0:110' });
  t.end();
});
