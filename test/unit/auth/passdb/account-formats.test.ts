import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  AccountLines,
  csvHeader,
  formatUser,
  type AccountFormat,
  type FileUser,
} from '../../../../src/auth/passdb/account-formats.js';
import { parseStoredPassword } from '../../../../src/auth/stored/parse-stored-password.js';
import { fixedDraws } from '../../../support/mail/arbitrary-message.js';
import { holds } from '../../../support/suite/property.js';

const today = 20_000;

const awkward = fc.string({
  unit: fc.constantFrom('a', 'b', ':', ',', '"', ' ', '!', '#', 'é', '\\'),
  minLength: 1,
  maxLength: 8,
});
const user = fc.record({
  user: awkward.map((text) => `x${text}x`),
  domain: fc.constantFrom('example.org', 'b.example'),
  password: awkward.map((text) => `{PLAIN}${text}`),
  isActive: fc.boolean(),
});

function parse(format: AccountFormat, lines: readonly string[]): unknown {
  const parser = new AccountLines(format, undefined, today);
  return lines.map((line) => parser.parse(Buffer.from(line).toString('latin1'))).at(-1);
}

/** What a password is once it is taken apart. */
function valueOf(password: string): string {
  const stored = parseStoredPassword(password);
  return stored.kind === 'plain' ? stored.password.toString() : '';
}

for (const format of ['passwd', 'csv'] as const) {
  t.test(`what is written as ${format} is read as the same user`, (t) => {
    holds(
      t,
      fc.property(user, (original) => {
        const formatted = formatUser(original, format);
        if ('why' in formatted) {
          assert.equal(format, 'passwd');
          assert.match(original.user, /:/);
          return;
        }
        const header = format === 'csv' ? [csvHeader] : [];
        const read = parse(format, [...header, formatted.line]) as { is: string; user: FileUser };
        assert.equal(read.is, 'user', formatted.line);
        assert.equal(Buffer.from(read.user.user).toString(), original.user);
        assert.equal(read.user.domain, original.domain);
        assert.equal(read.user.isActive, original.isActive);
        const password = Buffer.from(read.user.password, 'latin1').toString();
        assert.equal(valueOf(password), valueOf(original.password));
      }),
      fixedDraws,
    );
    t.end();
  });
}

t.test('no line makes a parser throw, and what is no user has no password', (t) => {
  const line = fc.string({
    unit: fc.constantFrom(
      'a',
      '@',
      ':',
      ',',
      '"',
      '!',
      '*',
      '{',
      '}',
      '$',
      '\r',
      ' ',
      '\xef',
      '#',
      'x',
    ),
    maxLength: 20,
  });
  holds(
    t,
    fc.property(
      fc.array(line, { maxLength: 4 }),
      fc.constantFrom('passwd', 'shadow', 'csv', undefined),
      (lines, format) => {
        const parser = new AccountLines(format, 'example.org', today);
        for (const text of lines) {
          const parsed = parser.parse(text);
          assert.ok(['user', 'nothing', 'locked', 'wrong'].includes(parsed.is));
          if (parsed.is === 'user') assert.doesNotMatch(parsed.user.password, /^[*!]/);
        }
      },
    ),
    fixedDraws,
  );
  t.end();
});

t.test('what has expired in shadow(5) is not active, and what will expire is told', (t) => {
  for (const [fields, expiry] of [
    ['19000:0:99999:7:::', 'none'],
    ['19000:0:99999:7::-1:', 'none'],
    ['19000:0:99999:7::19999:', 'past'],
    ['19000:0:99999:7::20000:', 'past'],
    ['19000:0:99999:7::0:', 'past'],
    ['19000:0:99999:7::20001:', 'to come'],
    ['19000:0:90:7:::', 'none'],
    ['19000:0:90:7:30::', 'past'],
    ['19900:0:90:7:30::', 'none'],
    ['0:0:90:7:30::', 'none'],
    ['1000:1000::/home/ann::19999', 'none'],
    ['', 'none'],
  ] as const) {
    const parsed = new AccountLines(undefined, 'example.org', today).parse(`ann:$6$x:${fields}`);
    const isActive = expiry !== 'past';
    t.match(parsed, { is: 'user', expiry, user: { user: 'ann', isActive } }, fields);
  }
  t.end();
});
