import t from 'tap';
import { judgeAudit } from '../../support/suite/audit-verdict.js';

t.test('a report without vulnerabilities is clean', (t) => {
  const json = '{"vulnerabilities":{},"metadata":{"dependencies":{"total":424}}}';
  t.same(judgeAudit(json), {
    verdict: 'clean',
    lines: ['npm audit: nothing known against 424 packages'],
  });
  t.end();
});

t.test('each package that something is known against is named, with why', (t) => {
  const via = [{ title: 'Prototype pollution', url: 'https://example.org/1' }, 'other'];
  const vulnerabilities = { minimist: { severity: 'critical', range: '<1.2.6', via } };
  t.same(judgeAudit(JSON.stringify({ vulnerabilities })), {
    verdict: 'vulnerable',
    lines: [
      'npm audit: minimist <1.2.6: critical: Prototype pollution https://example.org/1; other',
    ],
  });
  t.end();
});

t.test('a registry that does not answer says nothing about the packages', (t) => {
  t.same(judgeAudit('{"message":"405 Method Not Allowed","error":{"summary":""}}'), {
    verdict: 'unanswered',
    lines: ['npm audit: not answered: 405 Method Not Allowed'],
  });
  t.end();
});

t.test('anything else is an error, and not taken for an answer', (t) => {
  t.throws(
    () => judgeAudit('{"error":{"summary":"loading from incorrect packument"}}'),
    /packument/,
  );
  t.throws(() => judgeAudit('{}'), /neither/);
  t.throws(() => judgeAudit(''), SyntaxError);
  t.end();
});
