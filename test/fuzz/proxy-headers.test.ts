// Thousands of PROXY headers; test/long reads a million. FUZZ_SEED repeats a run.

import fc from 'fast-check';
import t from 'tap';
import { modelOfHeader } from './proxy-model.js';
import { proxyProperty, streams } from './proxy-headers.js';

const seed = Number(process.env['FUZZ_SEED'] ?? '1939');

t.test('every header is read as the model says, and nothing behind it', (t) => {
  const details = fc.check(proxyProperty(), { seed, numRuns: 20_000 });
  t.notOk(details.failed, fc.defaultReportMessage(details) ?? `${details.numRuns} streams`);
  t.end();
});

t.test('the draws have every verdict', (t) => {
  const verdicts = fc.sample(streams, { seed, numRuns: 2000 }).map(modelOfHeader);
  for (const wanted of ['client', 'own', 'malformed', 'more']) {
    const count = verdicts.filter(({ verdict }) => verdict === wanted).length;
    t.ok(count > 20, `${wanted}: ${count}`);
  }
  t.ok(verdicts.some((verdict) => verdict.verdict === 'client' && /TLSv1\.3/.test(verdict.tls)));
  t.end();
});
