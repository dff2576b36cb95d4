import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { formatJsonLine, formatLogfmtLine } from '../../../../src/system/log/log-line.js';
import { fixedDraws } from '../../../support/mail/arbitrary-message.js';
import { holds } from '../../../support/suite/property.js';

t.test('a line is program, event and fields; undefined fields are left out', (t) => {
  const fields = { peer: '192.0.2.7:110', level: 1, tls: false, user: undefined };
  t.equal(
    formatLogfmtLine('pop3d', 'connect', fields),
    'pop3d: connect peer=192.0.2.7:110 level=1 tls=false\n',
  );
  t.equal(
    formatJsonLine('pop3d', 'connect', fields),
    '{"program":"pop3d","event":"connect","peer":"192.0.2.7:110","level":1,"tls":false}\n',
  );
  t.equal(formatLogfmtLine('pop3d', 'listening', {}), 'pop3d: listening\n');
  t.end();
});

const values: readonly (readonly [value: string, logfmt: string])[] = [
  ['plain', 'plain'],
  ['ann@example.org', 'ann@example.org'],
  ['', '""'],
  ['two words', '"two words"'],
  ['a=b', '"a=b"'],
  ['say "hi"', '"say \\"hi\\""'],
  ['back\\slash', '"back\\\\slash"'],
  ['a\nb\rc\td', '"a\\nb\\rc\\td"'],
  ['\0\x1b[2J\x7f', '"\\u0000\\u001b[2J\\u007f"'],
  ['é', '"\\u00e9"'],
  ['\u202e', '"\\u202e"'],
  ['😀', '"\\ud83d\\ude00"'],
  ['\ud83d', '"\\ud83d"'],
];

for (const [value, logfmt] of values) {
  t.test(`the value ${JSON.stringify(value)} is written ${logfmt}`, (t) => {
    t.equal(formatLogfmtLine('p', 'e', { v: value }), `p: e v=${logfmt}\n`);
    t.same(JSON.parse(formatJsonLine('p', 'e', { v: value })), {
      program: 'p',
      event: 'e',
      v: value,
    });
    t.end();
  });
}

t.test('a forged line inside a value stays inside it', (t) => {
  const user = 'x" reason=quit\npop3d: login user=root';
  t.equal(
    formatLogfmtLine('pop3d', 'failure', { user }),
    'pop3d: failure user="x\\" reason=quit\\npop3d: login user=root"\n',
  );
  t.end();
});

t.test('a value of 512 characters passes, a longer one is clipped and marked', (t) => {
  const long = 'x'.repeat(512);
  t.equal(formatLogfmtLine('p', 'e', { v: long }), `p: e v=${long}\n`);
  t.equal(formatLogfmtLine('p', 'e', { v: `${long}x` }), `p: e v="${long}..."\n`);
  t.end();
});

t.test('clipping counts the escapes and cuts none in two', (t) => {
  t.equal(
    formatLogfmtLine('p', 'e', { v: '\0'.repeat(512) }),
    `p: e v="${'\\u0000'.repeat(85)}..."\n`,
  );
  t.end();
});

t.test(
  'a field for which the line has no room is left out, those after it that fit are not',
  (t) => {
    const long = Object.fromEntries([...Array(9).keys()].map((n) => [`long${n}`, 'x'.repeat(512)]));
    const line = formatLogfmtLine('p', 'e', { ...long, reason: 'quit' });
    t.ok(line.length <= 4001);
    t.match(line, /^p: e long0=.* long6=x+ reason=quit\n$/);
    t.equal(
      (JSON.parse(formatJsonLine('p', 'e', { ...long, reason: 'quit' })) as { reason: string })
        .reason,
      'quit',
    );
    t.end();
  },
);

t.test('whatever the fields hold, a line is one short line of ASCII that can be parsed', (t) => {
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 700 }),
    fc.array(fc.constantFrom('\0', '"', '\\', '\n', '=', '\ud800', 'é')).map((all) => all.join('')),
    fc.integer(),
    fc.boolean(),
  );
  const key = fc.constantFrom('user', 'reason', 'peer', 'octets', 'a', 'b', 'c', 'd', 'e', 'f');
  holds(
    t,
    fc.property(fc.dictionary(key, value), (fields) => {
      const logfmt = formatLogfmtLine('pop3d', 'event', fields);
      assert.match(
        logfmt,
        /^pop3d: event(?: [a-z]+=(?:"(?:[ !#-[\]-~]|\\["\\nrt]|\\u[0-9a-f]{4})*"|[!#-<>-[\]-~]+))*\n$/,
      );
      assert.ok(logfmt.length < 4096);
      const json = formatJsonLine('pop3d', 'event', fields);
      assert.match(json, /^[ -~]+\n$/);
      assert.ok(json.length < 4096);
      const { program, event } = JSON.parse(json) as Record<string, unknown>;
      assert.deepEqual({ program, event }, { program: 'pop3d', event: 'event' });
    }),
    { ...fixedDraws, numRuns: 300 },
  );
  t.end();
});
